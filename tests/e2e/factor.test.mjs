// Second factors: an authenticator app, and passkeys with the virtual authenticator of Chromium.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { flow, once, signIn, signOut, submit } from './harness/browser.mjs'
import { ADA } from './harness/server.mjs'

/** The value that an authenticator app shows for a secret in base 32 (RFC 6238). */
function value(secret, at = Date.now()) {
  let bits = ''
  for (const letter of secret) bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)))
  const step = Buffer.alloc(8)
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)))
  const tag = createHmac('sha1', key).update(step).digest()
  const four = tag.readUInt32BE(tag[19] & 15) & 0x7fffffff
  return String(four % 1_000_000).padStart(6, '0')
}

flow('the code of an app is asked for after the password', {}, async (world) => {
  const page = await world.signedIn()
  await page.goto('/account/security/totp')
  await world.inspect(page)
  const secret = (await page.locator('form code').innerText()).replaceAll(' ', '')
  await page.getByLabel('Code', { exact: true }).fill('000000')
  await submit(page, page.getByRole('button', { name: 'Turn on' }))
  await world.inspect(page)
  await page.getByLabel('Code', { exact: true }).fill(value(secret))
  await submit(page, page.getByRole('button', { name: 'Turn on' }))
  const codes = (await page.locator('#codes').innerText()).split('\n')
  assert.equal(codes.length, 10)
  await world.inspect(page)
  await page.goto('/account/security/totp')
  await world.inspect(page)
  await page.goto('/account/security/recovery-codes')
  await world.inspect(page)
  await signOut(page)

  await page.goto('/login?return_to=%2Faccount')
  await signIn(page, ADA)
  await page.getByRole('heading', { name: 'Second step' }).waitFor()
  await world.inspect(page)
  await page.getByLabel('Code', { exact: true }).fill(codes[0])
  await submit(page, page.getByRole('button', { name: 'Sign in', exact: true }))
  await page.waitForURL('/account')
  await signOut(page)

  await signIn(page, ADA)
  await page.getByLabel('Code', { exact: true }).fill(codes[0])
  await submit(page, page.getByRole('button', { name: 'Sign in', exact: true }))
  await page.getByText('This code is wrong or was used.').waitFor()
  // One step ahead: the step of the enrolment was used.
  await page.getByLabel('Code', { exact: true }).fill(value(secret, Date.now() + 30_000))
  await submit(page, page.getByRole('button', { name: 'Sign in', exact: true }))
  await page.waitForURL('/tokens')
})

/** A virtual authenticator that verifies its user, in the browser of a page. */
async function authenticator(page, options = {}) {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
      ...options,
    },
  })
  return { cdp, authenticatorId }
}

async function addPasskey(page) {
  await page.goto('/account/security/passkeys')
  await page.getByLabel('Name').fill('Laptop')
  await submit(page, page.getByRole('button', { name: 'Add passkey' }))
}

const LOCALHOST = { host: 'localhost' }

once('a passkey signs in without a password, from the button and from the field', LOCALHOST, async (world) => {
  const page = await world.signedIn()
  // Without presence, so that the browser waits for a choice instead of signing in by itself.
  const { cdp, authenticatorId } = await authenticator(page)
  await addPasskey(page)
  await page.getByRole('heading', { name: 'Store your recovery codes now' }).waitFor()
  await page.goto('/account/security/passkeys')
  await page.getByText('Laptop').first().waitFor()
  await world.inspect(page)
  const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId })
  assert.equal(credentials.length, 1)
  assert.equal(credentials[0].isResidentCredential, true)
  assert.equal(credentials[0].rpId, 'localhost')

  await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: false })
  await signOut(page)
  await page.goto('/login?return_to=%2Faccount')
  await world.inspect(page)
  await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: true })
  await submit(page, page.getByRole('button', { name: 'Sign in with a passkey' }))
  await page.waitForURL('/account')

  // The field offers the passkey: the virtual authenticator accepts the offer by itself.
  await signOut(page)
  await page.goto('/login?return_to=%2Faccount')
  await page.waitForURL('/account')
})

once('a passkey is the second step after the password, and a copy of it is refused', LOCALHOST, async (world) => {
  const page = await world.signedIn()
  const { cdp, authenticatorId } = await authenticator(page)
  const replaceCredential = async (credential) => {
    await cdp.send('WebAuthn.clearCredentials', { authenticatorId })
    await cdp.send('WebAuthn.addCredential', { authenticatorId, credential })
  }
  await addPasskey(page)
  await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: false })
  const { credentials: [original] } = await cdp.send('WebAuthn.getCredentials', { authenticatorId })
  await replaceCredential({ ...original, signCount: 1000 })
  await signOut(page)
  await page.goto('/login')
  await page.getByLabel('Email').fill(ADA.email)
  await page.getByLabel('Password', { exact: true }).fill(ADA.password)
  await submit(page, page.getByRole('button', { name: 'Sign in', exact: true }))
  await page.getByRole('heading', { name: 'Second step' }).waitFor()
  await world.inspect(page)
  await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: true })
  await submit(page, page.getByRole('button', { name: 'Use a passkey' }))
  await page.waitForURL('/tokens')

  // A copy of the key whose counter stayed behind. The virtual authenticator accepts each offer of the
  // field by itself, also that of the page after the refusal.
  await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: false })
  await signOut(page)
  await replaceCredential({ ...original, signCount: 0 })
  const refused = page.waitForRequest((request) => request.url().includes('notice=passkey-failed'))
  await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: true })
  await page.goto('/login', { waitUntil: 'commit' })
  await refused
  await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: false })
  const other = await page.context().newPage()
  await other.goto('/account')
  assert.equal(new URL(other.url()).pathname, '/login')
})
