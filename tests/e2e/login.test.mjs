// Signing in and out.

import assert from 'node:assert/strict'
import { flow, signIn, signOut } from './harness/browser.mjs'
import { ADA } from './harness/server.mjs'

const WRONG = 'not the password at all'

flow('a wrong password and an unknown email look the same; the right one signs in', {}, async (world) => {
  const page = await world.visitor()
  await page.goto('/login')
  await world.inspect(page)

  const complaints = []
  for (const email of [ADA.email, 'nobody@example.com']) {
    await signIn(page, { email, password: WRONG })
    complaints.push(await page.getByRole('alert').innerText())
    assert.equal(await page.getByLabel('Email').inputValue(), email)
    assert.equal(await page.getByLabel('Password', { exact: true }).inputValue(), '')
  }
  assert.equal(complaints[0], complaints[1])
  await world.inspect(page)

  await signIn(page, ADA)
  await page.getByText('Account menu').waitFor()
  await page.waitForURL((url) => url.pathname !== '/login')
})

flow('signing in leads to where the person was going', {}, async (world) => {
  for (const going of ['/account', '/tokens/new']) {
    const page = await world.visitor()
    await page.goto(going)
    assert.equal(new URL(page.url()).pathname, '/login')
    await signIn(page, { ...ADA, password: WRONG })
    await signIn(page, ADA)
    await page.waitForURL(going)
  }
})

flow('signing out ends the session', {}, async (world) => {
  const page = await world.signedIn()
  await page.goto('/account')
  const cookies = await page.context().cookies()
  await signOut(page)
  await page.getByRole('status').getByText('You are signed out.').waitFor()
  await world.inspect(page)

  await page.goBack()
  assert.equal(await page.getByText(ADA.email).count(), 0, 'the page of the account was kept')
  await page.context().addCookies(cookies)
  await page.goto('/account')
  assert.equal(new URL(page.url()).pathname, '/login', 'the old cookie still opens the account')
})

flow('who guesses passwords has to wait', {}, async (world) => {
  const page = await world.visitor()
  await page.goto('/login')
  const statuses = []
  while (statuses.at(-1) !== 429 && statuses.length < 20) {
    statuses.push((await signIn(page, { ...ADA, password: WRONG })).status())
  }
  assert.equal(statuses.at(-1), 429, statuses.join())
  await world.inspect(page)
})

flow('the password can be seen while it is typed', {}, async (world) => {
  const page = await world.visitor()
  await page.goto('/login')
  const password = page.getByLabel('Password', { exact: true })
  await password.fill(ADA.password)
  const reveal = page.getByRole('button', { name: 'Show password' })
  // The button is a comfort of the script; without one it would do nothing, so it is not there.
  assert.equal(await reveal.count(), world.hasScripts ? 1 : 0)
  if (!world.hasScripts) return
  await reveal.click()
  assert.equal(await password.getAttribute('type'), 'text')
  await world.inspect(page)
  await page.getByRole('button', { name: 'Hide password' }).click()
  assert.equal(await password.getAttribute('type'), 'password')
})
