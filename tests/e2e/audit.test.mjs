// What happened, and when and from where tokens were used.

import assert from 'node:assert/strict'
import { flow, invalid, submit } from './harness/browser.mjs'
import { me } from './harness/device.mjs'
import { ADA, BOB } from './harness/server.mjs'
import { button, createToken, link } from './harness/token.mjs'

const WRITTEN_WITHIN_MS = 10_000

/** Loads the page until it shows a text: the server writes uses of tokens once a second. */
async function until(page, text) {
  const deadline = Date.now() + WRITTEN_WITHIN_MS
  while (!(await page.getByText(text).count())) {
    assert.ok(Date.now() < deadline, `The page never showed ${text}`)
    await page.reload()
  }
}

flow('an owner reads, searches and exports what happened', { people: [ADA, BOB] }, async (world) => {
  const page = await world.signedIn()
  await page.goto('/o/acme/settings/api-tokens/new')
  await page.getByLabel('Name').fill('deploy')
  await submit(page, button(page, 'Create token'))
  await page.goto('/o/acme')
  await page.getByRole('navigation', { name: 'Acme' }).getByRole('link', { name: 'Audit log', exact: true }).click()
  await page.getByRole('row', { name: /Ada Lovelace created the token deploy/ }).waitFor()
  await world.inspect(page)
  await page.getByText('Details').first().click()
  await page.getByText('token.created').waitFor()
  await world.inspect(page)

  await page.getByLabel('Actor').selectOption({ label: 'Bob Noyce' })
  await page.getByLabel('Action').selectOption({ label: 'Tokens' })
  await button(page, 'Filter').click()
  await page.getByRole('heading', { name: 'No records found' }).waitFor()
  assert.match(page.url(), /actor=usr_/)
  await world.inspect(page)
  await link(page, 'Clear filters').last().click()
  await link(page, 'deploy').first().click()
  await page.waitForURL(/token=tok_/)
  assert.equal(await page.getByRole('row', { name: /Bob Noyce/ }).count(), 0)

  for (const [name, file] of [[/^NDJSON/, 'acme-audit.ndjson'], [/^CSV/, 'acme-audit.csv']]) {
    if (!(await page.getByRole('link', { name }).isVisible())) await page.getByText('Export').click()
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name }).click()])
    assert.equal(download.suggestedFilename(), file)
  }

  await page.goto('/o/acme/audit?from=yesterday')
  await invalid(page).waitFor()
  await world.inspect(page)

  const member = await world.signedIn(BOB)
  await member.goto('/o/acme/audit')
  await member.getByText('Only admins and owners of the organization may do this.').waitFor()
})

flow('a person sees their own activity and that of their tokens', {}, async (world) => {
  const page = await world.signedIn()
  const token = await createToken(page, 'laptop', ['orgs:read'])
  await page.goto('/account/security')
  await link(page, 'Your activity').click()
  await page.getByRole('row', { name: /You created the token laptop/ }).waitFor()
  await page.getByText('Chrome on Linux').first().waitFor()
  await world.inspect(page)
  await page.getByLabel('Actor').selectOption({ label: 'You' })
  await page.getByLabel('Action').selectOption({ label: 'Sign-ins' })
  await button(page, 'Filter').click()
  await page.getByRole('row', { name: /You signed in/ }).waitFor()
  assert.equal(await page.getByRole('row', { name: /laptop/ }).count(), 0)
  await page.getByLabel('Actor').selectOption({ label: 'The operator' })
  await button(page, 'Filter').click()
  await page.getByRole('heading', { name: 'No records found' }).waitFor()
  await world.inspect(page)
  await link(page, 'Clear filters').last().click()
  await link(page, 'laptop').click()
  await page.waitForURL(/token=tok_/)
  await page.goto('/account/activity?from=yesterday')
  await invalid(page).waitFor()
  await world.inspect(page)

  await page.goto('/tokens')
  await link(page, 'laptop').click()
  await page.getByRole('heading', { name: 'Never used' }).waitFor()
  await world.inspect(page)
  assert.equal((await me(world.server, token)).status, 200)
  await until(page, 'GET /v1/me')
  await page.getByText('1 use in 30 days, 1 on the busiest').last().waitFor()
  await page.getByText('As a table').click()
  await page.getByRole('table').first().waitFor()
  await world.inspect(page)

  await link(page, 'Rotate').click()
  await submit(page, button(page, 'Rotate token'))
  await link(page, 'I have stored it').click()
  await page.getByRole('row', { name: /Replaced/ }).getByRole('link', { name: 'laptop', exact: true }).click()
  await page.getByText('Not used since it was replaced').waitFor()
  await world.inspect(page)
  assert.equal((await me(world.server, token)).status, 200)
  await until(page, 'after it was replaced')
  await world.inspect(page)
  await link(page, 'the new token').click()
  await page.getByText('The old token is still used').waitFor()
  await world.inspect(page)
})
