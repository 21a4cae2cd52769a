// The account: name, password, sessions.

import assert from 'node:assert/strict'
import { flow, invalid, signIn, submit } from './harness/browser.mjs'
import { ADA, BOB } from './harness/server.mjs'

const NEW_PASSWORD = 'marble ocean bicycle seven'

const button = (page, name) => page.getByRole('main').getByRole('button', { name, exact: true })

async function changePassword(page, from, to) {
  await page.getByLabel('Current password').fill(from)
  await page.getByLabel('New password').fill(to)
  await submit(page, button(page, 'Change password'))
}

async function isSignedIn(page) {
  await page.goto('/account')
  return new URL(page.url()).pathname === '/account'
}

flow('a person changes their name', {}, async (world) => {
  const page = await world.signedIn()
  await page.goto('/account')
  await world.inspect(page)
  await page.getByLabel('Name').fill('Countess of Lovelace')
  await submit(page, button(page, 'Save name'))
  await page.getByRole('status').getByText('Your name is saved.').waitFor()
  await world.inspect(page)
  await page.reload()
  assert.equal(await page.getByLabel('Name').inputValue(), 'Countess of Lovelace')

  await page.getByLabel('Name').fill('   ')
  await submit(page, button(page, 'Save name'))
  await invalid(page).waitFor()
  await world.inspect(page)
})

flow('a new password needs the old one, and ends other sessions', {}, async (world) => {
  const page = await world.signedIn()
  const elsewhere = await world.signedIn()
  await page.goto('/account/security')

  for (const [from, to] of [['not the password at all', NEW_PASSWORD], [ADA.password, 'too short']]) {
    await changePassword(page, from, to)
    await invalid(page).waitFor()
    assert.equal(await page.getByLabel('New password').inputValue(), '')
    await world.inspect(page)
  }
  assert.ok(await isSignedIn(elsewhere))

  await page.goto('/account/security')
  assert.ok(await page.getByLabel('Sign out my other sessions').isChecked())
  await changePassword(page, ADA.password, NEW_PASSWORD)
  await page.getByRole('status').getByText('Your password is changed').waitFor()
  await world.inspect(page)
  assert.equal(await isSignedIn(elsewhere), false)
  assert.ok(await isSignedIn(page), 'the session that changed it ended too')

  const again = await world.visitor()
  await again.goto('/login')
  await signIn(again, ADA)
  await again.getByRole('alert').waitFor()
  await signIn(again, { ...ADA, password: NEW_PASSWORD })
  assert.ok(await isSignedIn(again))
})

flow('a session elsewhere is signed out from here', { people: [ADA, BOB] }, async (world) => {
  const page = await world.signedIn()
  const elsewhere = await world.signedIn()
  const bob = await world.signedIn(BOB)
  await page.goto('/account/security')
  const rows = page.getByRole('main').getByRole('listitem').filter({ hasText: 'last seen' })
  assert.equal(await rows.count(), 2, 'Ada has two sessions, and sees no one else’s')
  await world.inspect(page)

  await submit(page, rows.filter({ hasNotText: 'This browser' }).getByRole('button', { name: 'Sign out' }))
  await page.getByRole('status').getByText('That session is signed out.').waitFor()
  assert.equal(await rows.count(), 1)
  assert.equal(await isSignedIn(elsewhere), false)
  await world.inspect(elsewhere)
  assert.ok(await isSignedIn(bob))

  await page.goto('/account/security')
  await submit(page, rows.getByRole('button', { name: 'Sign out' }))
  await page.waitForURL((url) => url.pathname === '/login')
  assert.equal(await isSignedIn(page), false)
})
