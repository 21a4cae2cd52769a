// The device's side of RFC 8628, as a command line would play it. It speaks to the server itself,
// also when a proxy stands before it.

import assert from 'node:assert/strict'

const CLIENT_ID = 'doorcode-cli'
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:device_code'

async function post(url, form, headers = {}) {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form), headers })
  return { status: response.status, body: await response.json() }
}

/** Asks for a code. `form` can name a `scope` or a `device_name`. */
export async function askForCode(server, form = {}, headers = {}) {
  const { status, body } = await post(`${server.address}/auth/device`, { client_id: CLIENT_ID, ...form }, headers)
  assert.equal(status, 200, JSON.stringify(body))
  return body
}

/** Polls once. The answer comes at once: `Prefer: wait` is the command line's own affair. */
export async function poll(server, { device_code }) {
  const form = { client_id: CLIENT_ID, grant_type: GRANT_TYPE, device_code }
  return (await post(`${server.address}/auth/device/token`, form)).body
}

/** What the API says to a token. */
export async function me(server, token) {
  const response = await fetch(`${server.address}/v1/me`, { headers: { Authorization: `Bearer ${token}` } })
  return { status: response.status, body: await response.json() }
}
