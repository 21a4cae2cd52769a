// Behind a proxy that speaks TLS, as a deployment on the network is.

import assert from 'node:assert/strict'
import { flow, submit } from './harness/browser.mjs'
import { askForCode, poll } from './harness/device.mjs'

const settings = { DOORCODE__SERVER__TRUSTED_PROXIES: '["127.0.0.1"]' }

flow('cookies cannot leave https, and approving works', { settings, behindProxy: true }, async (world) => {
  const page = await world.signedIn()
  const cookies = await page.context().cookies()
  assert.ok(cookies.some(({ name }) => name === '__Host-doorcode_session'))
  for (const { name, secure, httpOnly, path, sameSite } of cookies) {
    assert.ok(name.startsWith('__Host-'), name)
    assert.deepEqual({ secure, httpOnly, path }, { secure: true, httpOnly: true, path: '/' }, name)
    assert.ok(['Lax', 'Strict'].includes(sameSite), name)
  }

  const codes = await askForCode(world.server)
  assert.equal(codes.verification_uri, `${world.server.url}/device`)
  const response = await page.goto(codes.verification_uri)
  // A browser must not remember a policy for the own machine.
  assert.equal(response.headers()['strict-transport-security'], undefined)

  await page.getByLabel('Code').fill(codes.user_code)
  await submit(page, page.getByRole('button', { name: 'Continue' }))
  await submit(page, page.getByRole('button', { name: 'Approve' }))
  await page.getByRole('heading', { name: 'Doorcode CLI is signed in' }).waitFor()
  assert.ok((await poll(world.server, codes)).access_token)
})
