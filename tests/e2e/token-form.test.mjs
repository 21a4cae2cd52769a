// The form for a new token: presets, rows, summary, copies; and what the frequent tasks cost in clicks.

import assert from 'node:assert/strict'
import { flow, submit } from './harness/browser.mjs'
import { me } from './harness/device.mjs'
import { button, createToken, expiry, link, selectScope } from './harness/token.mjs'

const READING = ['audit:read', 'orgs:read', 'projects:read', 'tokens:read']
const level = (page, resource, name) =>
  page.getByRole('group', { name: resource, exact: true }).getByRole('radio', { name, exact: true })

/** Counts the clicks of a user who is on this page. */
function counter() {
  const clicks = { count: 0 }
  clicks.on = async (locator) => {
    clicks.count += 1
    await locator.click()
  }
  return clicks
}

flow('a token that only reads takes three clicks', {}, async (world) => {
  const page = await world.signedIn()
  await page.goto('/tokens')
  const clicks = counter()
  await clicks.on(link(page, 'New token'))
  await page.waitForURL('**/tokens/new')
  await clicks.on(link(page, 'Read only'))
  // The name has the focus, on the page of the preset too; with a script there is no new page.
  if (world.hasScripts) await page.getByLabel('Name').focus()
  else await page.waitForURL('**/tokens/new?preset=read-only')
  await page.locator('#name:focus').waitFor()
  await page.keyboard.type('Dashboard')
  await clicks.on(button(page, 'Create token'))
  const token = await page.locator('[data-token]').innerText()
  const { body } = await me(world.server, token)
  assert.deepEqual([body.token.name, body.token.scopes.sort()], ['Dashboard', READING])
  assert.equal(clicks.count, 3)
})

flow('what each scope takes is one click from the form', {}, async (world) => {
  const page = await world.signedIn()
  await page.goto('/tokens/new')
  await link(page, 'Scopes and roles').click()
  await page.waitForURL('**/scopes')
  await page.getByRole('heading', { name: 'Scopes and roles' }).waitFor()
  await world.inspect(page)
})

flow('one of 200 tokens is found and revoked with three clicks', {}, async (world) => {
  const page = await world.signedIn()
  const token = await createToken(page, 'maker', ['tokens:read', 'tokens:write'])
  for (let number = 1; number < 200; number += 1) {
    const answer = await fetch(`${world.server.address}/v1/tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': `token ${number}` },
      body: JSON.stringify({ name: `Build server ${number}` }),
    })
    assert.equal(answer.status, 201)
  }
  await page.goto('/tokens')
  await page.getByText('1–50 of 200').waitFor()
  const clicks = counter()
  const search = page.getByLabel('Search tokens')
  for (let tabs = 0; tabs < 30 && !(await search.evaluate((input) => input === document.activeElement)); tabs += 1) {
    await page.keyboard.press('Tab')
  }
  await page.keyboard.type('server 142')
  await page.keyboard.press('Enter')
  await page.waitForURL(/q=server/)
  const row = page.getByRole('row', { name: /Build server 142/ })
  await clicks.on(row.locator('summary'))
  await clicks.on(link(row, 'Revoke'))
  await clicks.on(button(page, 'Revoke'))
  await page.getByRole('status').getByText('Build server 142').waitFor()
  assert.equal(clicks.count, 3)
})

flow('each resource is one choice, and the summary says what the token can do', {}, async (world) => {
  const page = await world.signedIn()
  await page.goto('/tokens/new')
  await page.getByLabel('Name').fill('Build server')
  await level(page, 'projects', 'Read and write').check()
  await selectScope(page, 'orgs:read')
  await expiry(page, 'Custom').check()
  await page.getByLabel('Custom date').fill('2099-01-31')
  await world.inspect(page)
  const summary = page.getByRole('region', { name: 'Summary' })
  const words = await summary.innerText()
  if (world.hasScripts) {
    for (const piece of ['1 write, 2 read', 'Create and change projects', 'projects:write', '31 Jan 2099']) {
      assert.ok(words.includes(piece), `${piece}: ${words}`)
    }
    await link(page, 'Read and write').click()
    assert.ok(await level(page, 'orgs', 'Read').isChecked(), 'a high risk is chosen by hand')
    assert.equal(await page.getByLabel('Name').inputValue(), 'Build server')
    assert.equal(await link(page, 'Read and write').getAttribute('aria-current'), 'true')
    await level(page, 'tokens', 'None').check()
    assert.equal(await link(page, 'Read and write').getAttribute('aria-current'), null)
    await link(page, 'Clear').click()
    assert.ok((await summary.innerText()).includes('No scopes'))
    await level(page, 'projects', 'Read and write').check()
    await selectScope(page, 'orgs:read')
  } else {
    assert.ok(!words.includes('write'), words)
  }
  await submit(page, button(page, 'Create token'))
  const { body } = await me(world.server, await page.locator('[data-token]').innerText())
  assert.deepEqual(body.token.scopes.sort(), ['orgs:read', 'projects:read', 'projects:write'])
  await link(page, 'View token').click()

  await page.getByText('Rename', { exact: true }).click()
  await page.getByLabel('Name').fill('Nightly build')
  await submit(page, button(page, 'Save name'))
  await page.getByRole('heading', { level: 1, name: 'Nightly build' }).waitFor()
  await world.inspect(page)
  await link(page, 'Clone').click()
  assert.equal(await page.getByLabel('Name').inputValue(), 'Nightly build')
  assert.ok(await level(page, 'projects', 'Read and write').isChecked())
  assert.ok(await expiry(page, 'Custom').isChecked())
})

const MANY = {
  DOORCODE__ORGANIZATIONS__MADE_BY: 'users',
  DOORCODE__SCOPES: `[${['app', 'log', 'dns', 'cache', 'queue', 'cron'].map((name) => `{ name = "${name}:read", description = "See ${name}" }`)}]`,
}

flow('many resources are searched, and projects follow their organization', { settings: MANY }, async (world) => {
  const page = await world.signedIn()
  await page.goto('/o/new')
  await page.getByLabel('Name').fill('Second')
  await submit(page, page.getByRole('main').getByRole('button'))
  await page.goto('/o/second/projects/new')
  await page.getByLabel('Name').fill('Website')
  await submit(page, page.getByRole('main').getByRole('button'))
  await page.goto('/tokens/new')
  const project = page.getByRole('checkbox', { name: 'Website' })
  assert.equal(await project.isVisible(), !world.hasScripts)
  await page.getByRole('radio', { name: 'Second' }).check()
  await project.check()
  await world.inspect(page)
  if (world.hasScripts) {
    await level(page, 'dns', 'Read').check()
    await page.getByLabel('Search', { exact: true }).fill('queue')
    await page.getByText('1 of 10 found.').waitFor()
    assert.equal(await page.locator('.resource:visible').count(), 2, 'what is selected stays')
    await page.getByRole('radio', { name: 'All organizations that you belong to' }).check()
    assert.equal(await project.isVisible(), false)
    await page.getByRole('radio', { name: 'Second' }).check()
  }
  await page.getByLabel('Name').fill('site')
  await submit(page, button(page, 'Create token'))
  await page.getByText('Website', { exact: true }).waitFor()
})
