// Entering a code: typed or by link, right, wrong, expired or used.

import assert from 'node:assert/strict'
import { flow, signIn, submit } from './harness/browser.mjs'
import { askForCode, poll } from './harness/device.mjs'
import { ADA } from './harness/server.mjs'

async function enter(page, code) {
  await page.goto('/device')
  await page.getByLabel('Code').fill(code)
  return submit(page, page.getByRole('button', { name: 'Continue' }))
}

flow('a code is read in any case, with any spaces and dashes', {}, async (world) => {
  const page = await world.signedIn()
  await page.goto('/device')
  await world.inspect(page)
  const { user_code } = await askForCode(world.server)
  const letters = user_code.replace('-', '')
  for (const typed of [user_code, letters.toLowerCase(), ` ${letters.split('').join(' ')} `, letters.split('').join('.')]) {
    await enter(page, typed)
    await page.getByRole('button', { name: 'Approve' }).waitFor()
    await page.getByText(user_code, { exact: true }).waitFor()
  }
})

flow('wrong and expired codes get one message on the same page, and decided ones their result', {}, async (world) => {
  const page = await world.signedIn()
  const complaints = []
  const complains = async (code) => {
    await enter(page, code)
    complaints.push(await page.locator('#user_code-error').innerText())
    assert.equal(new URL(page.url()).pathname, '/device')
    assert.equal(await page.getByLabel('Code').getAttribute('aria-invalid'), 'true')
  }

  await complains('BBBB-BBBB')
  await world.inspect(page)

  const expired = await askForCode(world.server)
  await world.server.sql("update device_grant set expires_at = '2020-01-01 00:00:00.000'")
  await complains(expired.user_code)
  assert.equal((await poll(world.server, expired)).error, 'expired_token')

  assert.deepEqual(complaints, Array(2).fill(complaints[0]))

  const decides = async (codes, button) => {
    await enter(page, codes.user_code)
    await submit(page, page.getByRole('button', { name: button }))
    const result = await page.getByRole('heading', { level: 1 }).innerText()
    const answer = await poll(world.server, codes)
    await enter(page, codes.user_code)
    assert.equal(new URL(page.url()).pathname, '/device/result')
    assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), result)
    return answer
  }
  assert.equal((await decides(await askForCode(world.server), 'Deny')).error, 'access_denied')
  assert.ok((await decides(await askForCode(world.server), 'Approve')).access_token)
})

flow('who guesses codes has to wait, also with the right one', {}, async (world) => {
  const page = await world.signedIn()
  for (const last of 'BCDFG') await enter(page, `BBBB-BBB${last}`)
  const { user_code } = await askForCode(world.server)
  const response = await enter(page, user_code)
  assert.equal(response.status(), 429)
  assert.ok(Number(response.headers()['retry-after']) > 0)
  assert.equal(await page.getByRole('button', { name: 'Approve' }).count(), 0)
  await world.inspect(page)
})

flow('a link leads to the consent page, and waits for the sign-in', {}, async (world) => {
  const page = await world.visitor()
  const codes = await askForCode(world.server)
  await page.goto(codes.verification_uri_complete)
  assert.equal(new URL(page.url()).pathname, '/login')
  await world.inspect(page)
  await signIn(page, ADA)
  await page.waitForURL((url) => url.pathname === '/device')
  await page.getByRole('button', { name: 'Approve' }).waitFor()
  await world.inspect(page)
  assert.equal((await poll(world.server, codes)).error, 'authorization_pending')
})

flow('a typed code, too, is asked for once around the sign-in', {}, async (world) => {
  const page = await world.visitor()
  const { user_code } = await askForCode(world.server)
  await page.goto('/device')
  // Whether the code is typed before or after the sign-in is for the server to choose.
  if (new URL(page.url()).pathname === '/device') {
    await page.getByLabel('Code').fill(user_code)
    await submit(page, page.getByRole('button', { name: 'Continue' }))
    await signIn(page, ADA)
    assert.equal(await page.getByLabel('Code').inputValue(), user_code)
  } else {
    await signIn(page, ADA)
    await page.getByLabel('Code').fill(user_code)
  }
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('button', { name: 'Approve' }).waitFor()
})

flow('opening a link, however often, decides nothing', {}, async (world) => {
  const page = await world.signedIn()
  const codes = await askForCode(world.server)
  for (let visit = 0; visit < 20; visit++) await page.goto(codes.verification_uri_complete)
  assert.equal((await poll(world.server, codes)).error, 'authorization_pending')
})
