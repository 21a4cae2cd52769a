// The operator console: who gets in, and what an operator does there.

import assert from 'node:assert/strict'
import { flow, signIn, submit } from './harness/browser.mjs'
import { ADA, BOB } from './harness/server.mjs'
import { button, link } from './harness/token.mjs'

const people = [ADA, BOB]

/** Marks Ada as an operator, and signs her in. */
async function operator(world) {
  await world.server.run(['user', 'update', ADA.email, '--operator'])
  return world.signedIn(ADA)
}

flow('an operator finds a user and deactivates them', { people }, async (world) => {
  const page = await operator(world)
  await page.locator('.bar summary').first().click()
  await link(page, 'Operator console').click()
  await page.getByRole('heading', { name: 'Health' }).waitFor()
  await world.inspect(page)
  await link(page, 'Users').click()
  await page.getByLabel('Email or ID').fill(BOB.email)
  await button(page, 'Search').click()
  await link(page, BOB.name).click()
  await page.getByRole('heading', { name: BOB.name }).waitFor()
  await world.inspect(page)
  await link(page, 'Deactivate user').click()
  await world.inspect(page)
  await submit(page, button(page, 'Deactivate user'))
  await page.getByText('The user is deactivated.').waitFor()
  const bob = await world.visitor()
  await bob.goto('/login')
  assert.equal((await signIn(bob, BOB)).status(), 401)
})

flow('a new client secret is shown once', { people }, async (world) => {
  const added = ['--id', 'acme-api', '--name', 'Acme API', '--confidential']
  await world.server.run(['client', 'add', ...added])
  const page = await operator(world)
  await page.goto('/admin/clients')
  await world.inspect(page)
  await link(page, 'Acme API').click()
  await world.inspect(page)
  await link(page, 'Rotate secret').click()
  await world.inspect(page)
  await submit(page, button(page, 'Rotate secret'))
  const secret = await page.getByLabel('Client secret').innerText()
  assert.match(secret, /^[0-9a-f]{64}$/)
  await world.inspect(page)
  await page.reload()
  await page.getByText('The secret was shown, and cannot be shown again.').waitFor()
  assert.ok(!(await page.content()).includes(secret))
})

flow('an old sign-in is renewed on the way, and the page opens', { people }, async (world) => {
  const page = await operator(world)
  // Older than ten minutes, and younger than the absolute timeout.
  const hourAgo = new Date(Date.now() - 3_600_000).toISOString().replace('T', ' ').slice(0, 19)
  await world.server.sql(`UPDATE session SET created_at = '${hourAgo}'`)
  await page.goto('/admin/users')
  await page.getByText('Sign in again to continue where you were.').waitFor()
  await world.inspect(page)
  await signIn(page, ADA)
  await page.waitForURL('**/admin/users')
  for (const path of ['/admin/organizations', '/admin/organizations/acme', '/admin/scopes', '/admin/users']) {
    await page.goto(path)
    await world.inspect(page)
  }
  await page.goto('/admin/clients/doorcode-cli/scopes')
  await world.inspect(page)
})

flow('the console does not exist for others', { people }, async (world) => {
  const page = await world.signedIn(BOB)
  assert.equal((await page.goto('/admin')).status(), 404)
  assert.equal(await link(page, 'Operator console').count(), 0)
})
