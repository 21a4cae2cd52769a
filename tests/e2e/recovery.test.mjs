// Lost passwords: a member and the only owner sign in again, with and without a mail server.

import assert from 'node:assert/strict'
import { after } from 'node:test'
import { flow, invalid, signIn, submit } from './harness/browser.mjs'
import { askForCode } from './harness/device.mjs'
import { startMailbox } from './harness/mailbox.mjs'
import { ADA, BOB } from './harness/server.mjs'
import { button, createToken, link } from './harness/token.mjs'

const NEW_PASSWORD = 'marble ocean bicycle seven'
const TEMPORARY = 'copper lantern sandwiches'
const PEOPLE = [ADA, BOB]

const mailbox = await startMailbox()
after(() => mailbox.stop())

const withMail = { people: PEOPLE, settings: mailbox.settings }
const withoutMail = { people: PEOPLE, settings: { DOORCODE__BRANDING__SUPPORT: 'help@example.com' } }

/** The reset link in a text. */
const resetLink = (text) => text.match(/https?:\/\/\S+\/reset\?link=[0-9a-f]+/)[0]

async function isSignedIn(page) {
  await page.goto('/account')
  return new URL(page.url()).pathname === '/account'
}

/** Follows the link from the sign-in page. */
async function openForgot(world) {
  const page = await world.visitor()
  await page.goto('/login')
  await world.inspect(page)
  await link(page, 'Forgot password?').click()
  await page.getByRole('heading', { name: 'Reset your password' }).waitFor()
  return page
}

/** Sets a new password with a link, and sees that the old one and the link have ended. */
async function recover(world, page, person, href) {
  await page.goto(href)
  await world.inspect(page)
  await page.getByLabel('New password').fill('too short')
  await submit(page, button(page, 'Set password'))
  await invalid(page).waitFor()
  assert.equal(await page.getByLabel('New password').inputValue(), '')
  await world.inspect(page)

  await page.getByLabel('New password').fill(NEW_PASSWORD)
  await submit(page, button(page, 'Set password'))
  await page.getByRole('heading', { name: 'Your password is set' }).waitFor()
  await world.inspect(page)
  await link(page, 'Continue').click()
  await page.waitForURL((url) => url.pathname === '/tokens')
  assert.ok(await isSignedIn(page))

  const again = await world.visitor()
  await again.goto(href)
  await again.getByRole('heading', { name: 'This reset link does not work' }).waitFor()
  await world.inspect(again)
  await link(again, 'Request a new link').click()
  await again.getByRole('heading', { name: 'Reset your password' }).waitFor()
  await again.goto('/login')
  await signIn(again, person)
  await again.getByRole('alert').waitFor()
  await signIn(again, { ...person, password: NEW_PASSWORD })
  assert.ok(await isSignedIn(again))
}

flow('a member and the only owner set a new password by mail', withMail, async (world) => {
  for (const person of PEOPLE) {
    const elsewhere = await world.signedIn(person)
    const page = await openForgot(world)
    await world.inspect(page)
    await page.getByLabel('Email').fill(person.email)
    await submit(page, button(page, 'Send reset link'))
    await page.getByRole('status').getByText('we sent a link to it').waitFor()
    await world.inspect(page)
    const letter = await mailbox.next()
    assert.equal(letter.to, person.email)
    await recover(world, page, person, resetLink(letter.text))
    assert.equal(await isSignedIn(elsewhere), false)
    const told = await mailbox.next()
    assert.equal(told.to, person.email)
    assert.match(told.subject, /password .* was changed/)
  }
})

flow('an unknown address gets the same page, and no message', withMail, async (world) => {
  const page = await openForgot(world)
  await page.getByLabel('Email').fill('nobody@example.com')
  await submit(page, button(page, 'Send reset link'))
  await page.getByRole('status').getByText('we sent a link to it').waitFor()
  const known = await openForgot(world)
  await known.getByLabel('Email').fill(ADA.email)
  await submit(known, button(known, 'Send reset link'))
  const main = (page) => page.getByRole('main').innerText()
  assert.equal(await main(known), await main(page))
  assert.equal((await mailbox.next()).to, ADA.email)
})

flow('without mail, the operator hands a link to a member and to the only owner', withoutMail, async (world) => {
  for (const person of PEOPLE) {
    const page = await openForgot(world)
    await page.getByRole('link', { name: 'help@example.com' }).waitFor()
    assert.equal(await page.getByLabel('Email').count(), 0)
    await world.inspect(page)
    const printed = await world.server.run(['user', 'reset-password', '--email', person.email])
    await recover(world, page, person, resetLink(printed))
  }
})

flow('an owner sends a member a link from the list of members', withMail, async (world) => {
  const owner = await world.signedIn(ADA)
  await owner.goto('/o/acme/members')
  await world.inspect(owner)
  const row = owner.getByRole('row', { name: BOB.name })
  await row.locator('summary').click()
  await submit(owner, button(row, 'Send password reset'))
  await owner.getByRole('status').getByText('The member gets a link').waitFor()
  const letter = await mailbox.next()
  assert.equal(letter.to, BOB.email)
  await recover(world, await world.visitor(), BOB, resetLink(letter.text))
  await mailbox.next()
})

flow('a password that the operator set must be changed first', withoutMail, async (world) => {
  const before = await world.signedIn(BOB)
  const token = await createToken(before, 'Laptop', ['orgs:read'])
  await world.server.run(['user', 'reset-password', '--email', BOB.email, '--password-stdin'], TEMPORARY)
  assert.equal(await isSignedIn(before), false)

  const { verification_uri_complete: code } = await askForCode(world.server)
  const page = await world.visitor()
  await page.goto(code)
  await signIn(page, { ...BOB, password: TEMPORARY })
  await page.getByRole('heading', { name: 'Choose your password' }).waitFor()
  await world.inspect(page)
  await page.getByLabel('New password').fill(TEMPORARY)
  await submit(page, button(page, 'Set password'))
  await invalid(page).waitFor()
  await page.getByLabel('New password').fill(NEW_PASSWORD)
  await submit(page, button(page, 'Set password'))
  await page.getByText('1 token still works').waitFor()
  await world.inspect(page)
  await link(page, 'Continue').click()
  await page.waitForURL((url) => url.pathname === '/device')
  await page.getByText(new URL(code).searchParams.get('user_code'), { exact: true }).waitFor()

  await page.goto('/account/password/done')
  await submit(page, button(page, 'Revoke all'))
  await page.waitForURL((url) => url.pathname === '/tokens')
  const answer = await fetch(`${world.server.address}/v1/me`, { headers: { Authorization: `Bearer ${token}` } })
  assert.equal(answer.status, 401)
})
