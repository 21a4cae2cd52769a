// Tokens that a person makes and ends in the console.

import assert from 'node:assert/strict'
import { flow, invalid, submit } from './harness/browser.mjs'
import { me } from './harness/device.mjs'
import { button, choose, createToken as create, expiry as expiryChoice, link } from './harness/token.mjs'

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
    await expiryChoice(page, choice).check()
    if (date) await page.getByLabel('Custom date').fill(date)
    await submit(page, button(page, 'Create token'))
  }
  const expiry = async () => (await me(world.server, await page.locator('[data-token]').innerText())).body.token.expires_at
  const daysAhead = (iso) => (Date.parse(iso) - Date.now()) / 86_400_000

  await choose('never', 'Never')
  assert.equal(await expiry(), null)
  await choose('month', '30 days')
  assert.equal(Math.round(daysAhead(await expiry())), 30)
  const inTenDays = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10)
  await choose('custom', 'Custom', inTenDays)
  assert.ok(daysAhead(await expiry()) > 9 && daysAhead(await expiry()) <= 11)

  await choose('forgot the date', 'Custom')
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

flow('one of many tokens is found, on a phone too', {}, async (world) => {
  const page = await world.signedIn()
  const token = await create(page, 'Admin script', ['tokens:write', 'orgs:read'])
  for (let number = 1; number < 26; number++) {
    const answer = await fetch(`${world.server.url}/v1/tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': `token ${number}` },
      // Long enough for the search not to find it in the end of another token.
      body: JSON.stringify({ name: number === 17 ? 'Nightly backup' : `Build server ${number}`, scopes: number % 2 ? ['orgs:read'] : [] }),
    })
    assert.equal(answer.status, 201, await answer.text())
  }
  await page.goto('/tokens')
  assert.equal(await page.getByRole('row').count(), 27)
  await page.getByText('26 active tokens').waitFor()
  await page.setViewportSize({ width: 390, height: 844 })
  const height = await page.evaluate(() => document.documentElement.scrollHeight)
  assert.ok(height <= 2000, `26 tokens are ${height} px high`)
  await world.inspect(page)

  await page.getByLabel('Search tokens').fill('nightly')
  await page.getByLabel('Sort by').selectOption('Sort: name')
  await button(page, 'Apply').click()
  await page.getByRole('row', { name: /Nightly backup/ }).waitFor()
  assert.equal(await page.getByRole('row').count(), 2)
  assert.equal(await page.getByLabel('Search tokens').inputValue(), 'nightly')
  await page.getByLabel('Search tokens').fill('nowhere')
  await button(page, 'Apply').click()
  await page.getByRole('heading', { name: 'No token found' }).waitFor()
  await world.inspect(page)

  // The menu of a row works without a script, and Escape closes it with one.
  await link(page, 'Clear the search').click()
  const menu = page.getByRole('row', { name: /Build server 9/ }).locator('details')
  await menu.locator('summary').click()
  await link(menu, 'Rotate').waitFor()
  await world.inspect(page)
  if (!world.hasScripts) return
  await page.keyboard.press('Escape')
  assert.equal(await link(menu, 'Rotate').count(), 0)
})

flow('times of a log are in the zone of the reader', {}, async (world) => {
  const page = await world.signedIn()
  await page.goto('/account/activity')
  const shown = await page.locator('[data-clock]').first().innerText()
  const iso = await page.locator('[data-clock]').first().getAttribute('datetime')
  assert.match(shown, /^\d\d:\d\d:\d\d$/)
  const local = await page.context().browser().newContext({ baseURL: world.server.url, timezoneId: 'Asia/Kolkata', javaScriptEnabled: world.hasScripts })
  await local.addCookies(await page.context().cookies())
  const there = await local.newPage()
  await there.goto('/account/activity')
  const time = await there.locator(`[datetime="${iso}"]`).first().innerText()
  const minutes = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5))
  const ahead = (minutes(time) - minutes(iso.slice(11, 19)) + 1440) % 1440
  assert.equal(ahead, world.hasScripts ? 330 : 0)
  assert.equal(await there.getByText('(UTC)').first().isVisible(), true)
  assert.equal(await there.locator('[data-zone]').count(), world.hasScripts ? 0 : 1)
  await local.close()
})
