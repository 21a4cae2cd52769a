// Tokens that a person makes and ends in the console.

import assert from 'node:assert/strict'
import { flow, invalid, submit } from './harness/browser.mjs'
import { me } from './harness/device.mjs'
import { button, choose, createToken as create, link } from './harness/token.mjs'

async function assertNoToken(page, token) {
  assert.equal(await page.locator('[data-token]').count(), 0)
  assert.ok(!(await page.content()).includes(token), 'the token was shown again')
}

flow('a new token is shown once, and works', {}, async (world) => {
  const page = await world.signedIn()
  await page.goto('/tokens')
  await page.getByRole('heading', { name: 'No tokens yet' }).waitFor()
  await world.inspect(page)
  await link(page, 'New token').click()
  await world.inspect(page)

  const token = await create(page, 'build server', ['orgs:read', 'audit:read'])
  assert.match(token, /^dc_[0-9a-f]{48}$/)
  assert.equal(await page.locator('[data-token]').count(), 1)
  await world.inspect(page)
  const { status, body } = await me(world.server, token)
  assert.equal(status, 200)
  assert.deepEqual(body.scopes.sort(), ['audit:read', 'orgs:read'])
  assert.equal(body.token.name, 'build server')

  await page.reload()
  await assertNoToken(page, token)
  await page.goto('/tokens')
  await assertNoToken(page, token)
  assert.equal(await page.getByRole('row', { name: /build server/ }).count(), 1, 'reloading made another token')
  await world.inspect(page)
})

flow('going back does not show the token again', {}, async (world) => {
  const page = await world.signedIn()
  const token = await create(page, 'laptop')
  await link(page, 'I have stored it').click()
  await page.getByRole('row', { name: /laptop/ }).waitFor()
  // The browser may not even keep the page: it would have to send the form again.
  await page.goBack().catch((error) => assert.match(error.message, /ERR_CACHE_MISS/))
  await assertNoToken(page, token)
  await page.goto('/tokens')
  assert.equal(await page.getByRole('row', { name: /laptop/ }).count(), 1, 'going back made another token')
})

flow('the button copies the token and says so', {}, async (world) => {
  const page = await world.signedIn()
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  const token = await create(page, 'laptop')
  // Copying is a comfort of the script; without one the button would do nothing.
  assert.equal(await button(page, 'Copy').count(), world.hasScripts ? 1 : 0)
  if (!world.hasScripts) return
  const focused = await button(page, 'Copy').evaluate((element) => (element.focus(), document.activeElement === element))
  assert.ok(focused)
  await page.keyboard.press('Enter')
  await page.getByRole('status').filter({ hasText: /./ }).waitFor()
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), token)
  await world.inspect(page)
})

flow('how long a token lives is chosen', {}, async (world) => {
  const page = await world.signedIn()
  await page.goto('/tokens/new')
  const choose = async (name, choice, date) => {
    await page.goto('/tokens/new')
    await page.getByLabel('Name').fill(name)
    await page.getByLabel('Expires').selectOption(choice)
    if (date) await page.getByLabel('Custom date').fill(date)
    await submit(page, button(page, 'Create token'))
  }
  const expiry = async () => (await me(world.server, await page.locator('[data-token]').innerText())).body.token.expires_at
  const daysAhead = (iso) => (Date.parse(iso) - Date.now()) / 86_400_000

  await choose('never', 'never')
  assert.equal(await expiry(), null)
  await choose('month', '30d')
  assert.equal(Math.round(daysAhead(await expiry())), 30)
  const inTenDays = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10)
  await choose('custom', 'custom', inTenDays)
  assert.ok(daysAhead(await expiry()) > 9 && daysAhead(await expiry()) <= 11)

  await choose('forgot the date', 'custom')
  await invalid(page).waitFor()
  assert.equal(await page.getByLabel('Name').inputValue(), 'forgot the date')
  await world.inspect(page)
})

flow('a revoked token is refused at once and stays listed', {}, async (world) => {
  const page = await world.signedIn()
  const token = await create(page, 'old laptop')
  const other = await create(page, 'build server')
  await page.goto('/tokens')
  const row = page.getByRole('row', { name: /old laptop/ })

  await choose(row, 'Revoke')
  await world.inspect(page)
  await link(page, 'Cancel').click()
  assert.equal((await me(world.server, token)).status, 200, 'looking at the question revoked the token')

  await choose(row, 'Revoke')
  await submit(page, button(page, 'Revoke'))
  await page.getByRole('status').getByText('old laptop').waitFor()
  assert.equal(await row.count(), 0, 'it is still among the active ones')
  await page.getByRole('link', { name: /^Ended/ }).click()
  await row.getByText('Revoked', { exact: true }).waitFor()
  assert.equal(await row.locator('a[href$="/revoke"]').count(), 0)
  await world.inspect(page)
  assert.equal((await me(world.server, token)).status, 401)
  assert.equal((await me(world.server, other)).status, 200)
})

flow('all tokens are revoked at once', {}, async (world) => {
  const page = await world.signedIn()
  const tokens = [await create(page, 'one'), await create(page, 'two')]
  await page.goto('/tokens')
  await link(page, 'Revoke all').click()
  await world.inspect(page)
  await submit(page, button(page, 'Revoke all'))
  await page.getByRole('status').getByText('2 tokens revoked').waitFor()
  await world.inspect(page)
  for (const token of tokens) assert.equal((await me(world.server, token)).status, 401)
  assert.equal(await link(page, 'Revoke all').count(), 0)

  await page.goto('/tokens/revoke-all')
  await page.getByRole('heading', { name: 'Nothing to revoke' }).waitFor()
  await world.inspect(page)
})

flow('an expired token stays listed as such', {}, async (world) => {
  const page = await world.signedIn()
  const token = await create(page, 'short-lived')
  await world.server.sql("update token set expires_at = '2020-01-01 00:00:00.000'")
  assert.equal((await me(world.server, token)).status, 401)
  await page.goto('/tokens?show=ended')
  await page.getByRole('row', { name: /short-lived/ }).getByText('Expired', { exact: true }).waitFor()
  await world.inspect(page)
})

flow('the longest names fit on the narrowest screen', {}, async (world) => {
  const page = await world.signedIn()
  const name = 'W'.repeat(100)
  await create(page, name, ['projects:write', 'tokens:write'])
  await world.inspect(page)
  await page.goto('/account')
  await page.getByLabel('Name').fill(name)
  await submit(page, button(page, 'Save name'))
  await page.goto('/tokens')
  await world.inspect(page)
  await choose(page.getByRole('row', { name }), 'Revoke')
  await page.getByRole('heading', { name }).waitFor()
  await world.inspect(page)
  await page.goto('/tokens/revoke-all')
  await world.inspect(page)
})
