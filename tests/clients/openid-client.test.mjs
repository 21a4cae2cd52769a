// openid-client against Doorcode. Written by others, it holds a server to the RFCs: it refuses
// answers with a wrong issuer, content type, token type or member.

import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import { test } from 'node:test'
import { approve } from './approve.mjs'

globalThis.crypto ??= webcrypto // Node 18, which Debian 12 has, keeps it to itself.
const oauth = await import('openid-client')

const { ISSUER, RESOURCE_SERVER, RESOURCE_SERVER_SECRET } = process.env
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:device_code'
const SCOPE = 'orgs:read tokens:read'

function discover(clientId, authentication) {
  return oauth.discovery(new URL(ISSUER), clientId, undefined, authentication, {
    algorithm: 'oauth2',
    execute: [oauth.allowInsecureRequests], // Plain http, which the server allows on loopback.
  })
}

const device = await discover('doorcode-cli', oauth.None())
const resourceServers = {
  client_secret_basic: await discover(RESOURCE_SERVER, oauth.ClientSecretBasic(RESOURCE_SERVER_SECRET)),
  client_secret_post: await discover(RESOURCE_SERVER, oauth.ClientSecretPost(RESOURCE_SERVER_SECRET)),
}

/** Hands every OAuth error that the device is answered with to `heard`, before the library. */
function listen(config, heard) {
  config[oauth.customFetch] = async (url, options) => {
    const response = await fetch(url, options)
    if (!response.ok) await heard((await response.clone().json()).error)
    return response
  }
}

async function me(token) {
  const url = new URL('/v1/me', ISSUER)
  return oauth.fetchProtectedResource(device, token, url, 'GET')
}

async function newToken() {
  const codes = await oauth.initiateDeviceAuthorization(device, { scope: SCOPE })
  await approve(codes.user_code)
  return (await oauth.pollDeviceAuthorizationGrant(device, codes)).access_token
}

test('discovery names every endpoint', () => {
  const metadata = device.serverMetadata()
  assert.equal(metadata.issuer, ISSUER)
  assert.equal(metadata.device_authorization_endpoint, `${ISSUER}/auth/device`)
  assert.equal(metadata.token_endpoint, `${ISSUER}/auth/device/token`)
  assert.equal(metadata.introspection_endpoint, `${ISSUER}/auth/introspect`)
  assert.equal(metadata.revocation_endpoint, `${ISSUER}/auth/revoke`)
  assert.ok(metadata.grant_types_supported.includes(GRANT_TYPE))
  assert.ok(metadata.token_endpoint_auth_methods_supported.includes('none'))
  for (const method of Object.keys(resourceServers)) {
    assert.ok(metadata.introspection_endpoint_auth_methods_supported.includes(method), method)
  }
})

test('a poll is pending, a hasty one is slowed down, a patient one gets the token', async () => {
  const codes = await oauth.initiateDeviceAuthorization(device, { scope: SCOPE })
  assert.equal(codes.interval, 1)
  assert.equal(codes.verification_uri, `${ISSUER}/device`)
  assert.match(codes.user_code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/)

  const pollNow = () => oauth.genericGrantRequest(device, GRANT_TYPE, { device_code: codes.device_code })
  await assert.rejects(pollNow, { error: 'authorization_pending', status: 400 })
  await assert.rejects(pollNow, { error: 'slow_down', status: 400 })

  // The library, which knows nothing of these polls, waits its second, is told to slow down
  // and obeys. The person approves meanwhile.
  const errors = []
  const patient = await discover('doorcode-cli', oauth.None())
  listen(patient, async (error) => {
    if (errors.push(error) === 1) await approve(codes.user_code)
  })
  const token = await oauth.pollDeviceAuthorizationGrant(patient, codes)
  assert.deepEqual(errors, ['slow_down'])

  assert.equal(token.token_type, 'bearer')
  assert.equal(token.scope, SCOPE)
  assert.ok(token.expires_in > 0)
  assert.equal((await me(token.access_token)).status, 200)
  await assert.rejects(pollNow, { error: 'invalid_grant', status: 400 })
})

test('an unknown scope is refused', async () => {
  const asking = oauth.initiateDeviceAuthorization(device, { scope: 'no:such' })
  await assert.rejects(asking, { error: 'invalid_scope', status: 400 })
})

for (const [method, resourceServer] of Object.entries(resourceServers)) {
  test(`introspection by ${method} sees the token, and sees it revoked`, async () => {
    const token = await newToken()
    const seen = await oauth.tokenIntrospection(resourceServer, token)
    assert.equal(seen.active, true)
    assert.equal(seen.client_id, 'doorcode-cli')
    assert.equal(seen.scope, SCOPE)
    assert.equal(seen.username, JSON.parse(process.env.APPROVER).email)
    assert.equal(seen.iss, ISSUER)
    assert.equal(seen.exp > seen.iat, true)
    assert.deepEqual(seen.sub, (await (await me(token)).json()).user.id)

    await oauth.tokenRevocation(device, token)
    assert.deepEqual(await oauth.tokenIntrospection(resourceServer, token), { active: false })
    await assert.rejects(me(token), (error) => {
      assert.equal(error.status, 401)
      assert.equal(error.cause[0].scheme, 'bearer')
      assert.equal(error.cause[0].parameters.error, 'invalid_token')
      return true
    })
    await oauth.tokenRevocation(device, token) // Again, with the same answer.
  })
}

test('introspection needs the right secret', async () => {
  const stranger = await discover(RESOURCE_SERVER, oauth.ClientSecretBasic('wrong'))
  await assert.rejects(oauth.tokenIntrospection(stranger, 'dc_'), (error) => {
    assert.equal(error.status, 401)
    return true
  })
})
