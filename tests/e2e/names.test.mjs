// What a screen reader gets: the tree that Chromium gives to it.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch } from './harness/browser.mjs'
import { PICTURES, serveSamples, visit } from './harness/samples.mjs'

/** The role of a menu, of which only one is open at a time. */
const MENU = 'DisclosureTriangleGrouped'

let server
let browser
before(async () => {
  server = await serveSamples()
  browser = await launch()
})
after(() => server.close())

/** The parts of a picture's page that are read: role, name, description, states, and what is in each. */
async function tree(picture) {
  const page = await visit(browser, `${server.url}/${PICTURES[picture]}.html`, {})
  const session = await page.context().newCDPSession(page)
  const { nodes } = await session.send('Accessibility.getFullAXTree')
  await page.context().close()
  const byId = new Map(nodes.map((node) => [node.nodeId, node]))
  const property = (node, name) => node.properties?.find((one) => one.name === name)?.value.value
  const parts = (node) => node.childIds.flatMap((id) => part(byId.get(id)))
  const part = (node) => {
    if (node.ignored || node.role.value === 'generic') return parts(node)
    return [{
      role: node.role.value,
      name: node.name?.value ?? '',
      description: node.description?.value ?? '',
      checked: property(node, 'checked'),
      expanded: property(node, 'expanded'),
      parts: parts(node),
    }]
  }
  return part(nodes[0])
}

/** All parts with a role, in the order of reading. */
const all = (parts, role) => parts.flatMap((one) => [...(one.role === role ? [one] : []), ...all(one.parts, role)])
const names = (parts, role) => all(parts, role).map(({ name }) => name)
/** The text that is read in a part. */
const text = (part) => (part.role === 'StaticText' ? part.name : part.parts.map(text).join(' ')).replace(/\s+/g, ' ').trim()

test('the table of tokens is read by rows and columns', async () => {
  const page = await tree('tokens')
  const [table] = all(page, 'table')
  assert.equal(table.name, 'Tokens')
  assert.deepEqual(names([table], 'columnheader'), ['Name', 'Access', 'Last used', 'Expires', 'Actions'])
  const [, ...rows] = all([table], 'row')
  const tokens = ['ada-laptop', 'Production deploys', 'Nightly report', 'ERP sync', 'Import of 2025', 'Dashboard']
  assert.equal(rows.length, tokens.length)
  for (const [at, row] of rows.entries()) {
    // The row is headed by the name, and each menu says whose it is.
    const [heading] = all([row], 'rowheader')
    assert.ok(text(heading).startsWith(tokens[at]), text(heading))
    assert.equal(all([row], 'cell').length, 4)
    assert.deepEqual(names([row], 'link').slice(0, 1), [tokens[at]])
    const [menu] = all([row], MENU)
    assert.equal(menu.name, `Actions for ${tokens[at]}`)
    assert.equal(menu.expanded, false)
  }
  // What is not normal is a word, not a color alone.
  const row = (name) => text(rows[tokens.indexOf(name)])
  assert.match(row('ada-laptop'), /High risk: 5 scopes, 1 high risk/)
  assert.match(row('Production deploys'), /projects:read.*27 Nov 2026 in 5 days/)
  assert.match(row('ERP sync'), /Replaced/)
  assert.match(row('Import of 2025'), /Unused for 33 days.*High risk: .*orgs:write.*Never/)
  assert.match(row('Dashboard'), /No scopes Only routes without a scope.*Never used/)
})

test('the controls above the tokens have names and states', async () => {
  const page = await tree('tokens')
  const filters = all(page, 'navigation').find(({ name }) => name === 'Filter tokens')
  assert.deepEqual(filters.parts.map(text), ['Active 6', 'Needs attention 3', 'Ended 0'])
  assert.deepEqual(names(page, 'searchbox'), ['Search tokens'])
  assert.deepEqual(names(page, 'combobox'), ['Sort by'])
  assert.deepEqual(names(page, 'heading'), ['Tokens'])
  const places = names(page, MENU).slice(0, 2)
  assert.deepEqual(places, ['Personal , switch place', 'Account menu, ada@example.com'])
})

test('the consent page is read in the order of the decision', async () => {
  const page = await tree('consent-many-scopes')
  const headings = names(page, 'heading')
  assert.deepEqual(headings, [
    'Approve access for Doorcode CLI?',
    'Doorcode CLI requests 18 scopes',
    'High risk',
    'Write',
    'Read',
  ])
  const groups = all(page, 'group').filter(({ name }) => ['High risk', 'Write', 'Read'].includes(name))
  assert.deepEqual(groups.map((group) => names([group], 'checkbox')), [
    ['domain:purchase', 'secret:read', 'orgs:write'],
    ['app:deploy', 'app:write', 'database:write', 'domain:write', 'server:write', 'tokens:write'],
    [
      'app:read',
      'audit:read',
      'billing:read',
      'database:read',
      'domain:read',
      'log:read',
      'orgs:read',
      'server:read',
      'tokens:read',
    ],
  ])
  for (const box of groups.flatMap((group) => all([group], 'checkbox'))) {
    // The name of the scope, then what it grants; a high risk is said, and starts cleared.
    const isHigh = groups[0] === groups.find((group) => all([group], 'checkbox').includes(box))
    assert.match(box.description, /^[A-Z][a-z]+,? \w+/)
    assert.equal(/High risk$/.test(box.description), isHigh, box.description)
    assert.equal(box.checked, isHigh ? 'false' : 'true', box.name)
  }
  const [confirm] = all(page, 'checkbox').slice(-1)
  assert.equal(confirm.name, 'I started this sign-in')
  assert.match(confirm.description, /You opened this page from a link/)
  assert.equal(confirm.checked, 'false')
  assert.deepEqual(names(page, 'button').slice(-2), ['Deny', 'Approve'])
})

test('the consent page spells the code and says what is unusual', async () => {
  const plain = await tree('consent')
  assert.match(text({ parts: plain }), /W D J B/)
  assert.match(text({ parts: plain }), /Requested from 203\.0\.113\.7 Same network as this browser/)
  const other = await tree('consent-other-network')
  assert.match(text({ parts: other }), /This request comes from another network\./)
  assert.match(text({ parts: other }), /Requested from 203\.0\.113\.7 Not the network of this browser/)
})
