// The nginx of examples/ before an API, asking Doorcode about every request.

import assert from 'node:assert/strict'
import { once } from './harness/browser.mjs'
import { me } from './harness/device.mjs'
import { EXAMPLE_CONFIG, startExample } from './harness/example.mjs'
import { ADA } from './harness/server.mjs'
import { createToken, revokeToken } from './harness/token.mjs'

const EVE = {
  email: 'eve@example.org',
  name: 'Eve Curie',
  password: 'granite teapot lighthouse',
  org: 'Elsewhere',
  role: 'owner',
}
const IDENTITY = ['x-auth-user-id', 'x-auth-token-id', 'x-auth-token-kind', 'x-auth-scopes', 'x-auth-organization-id']
const options = { people: [ADA, EVE], settings: { DOORCODE_SERVER_CONFIG: EXAMPLE_CONFIG } }

/** Declares a test with the proxy and the API beside the server. */
function behindNginx(name, walk) {
  once(name, options, async (world) => {
    const example = await startExample(world.server.address)
    try {
      await walk(world, example)
    } finally {
      await example.stop()
    }
  })
}

/** What the API was told about who asks, under any name that a framework reads as one of ours. */
const told = ({ headers }) => headers.filter(([name]) => /^x[^a-z0-9]auth[^a-z0-9]/.test(name))

/** Holds an answer to a refusal that says why (RFC 6750 section 3). */
function assertRefused(answer, status, challenge) {
  assert.equal(answer.status, status, JSON.stringify(answer))
  assert.equal(answer.challenges.length, 1, JSON.stringify(answer.challenges))
  assert.match(answer.challenges[0], /^Bearer\b/)
  for (const part of challenge) assert.ok(answer.challenges[0].includes(part), answer.challenges[0])
}

/** A project of Acme, which Ada owns. */
async function createProject(server) {
  const said = await server.run(['project', 'add', '--org', 'Acme', '--name', 'Website'])
  return said.match(/prj_[0-9a-f]+/)[0]
}

behindNginx('a token that does not live is 401, with the challenge', async (world, example) => {
  const page = await world.signedIn()
  const token = await createToken(page, 'build server', ['app:read'])
  assert.equal((await example.ask('GET', '/v1/apps', { token })).status, 200)

  const without = await example.ask('GET', '/v1/apps')
  assertRefused(without, 401, [])
  assert.ok(!without.challenges[0].includes('error='), 'a request without a token made no error (RFC 6750 section 3.1)')
  for (const no of ['x', 'dc_00', `${token}0`, token.toUpperCase()]) {
    assertRefused(await example.ask('GET', '/v1/apps', { token: no }), 401, ['error="invalid_token"'])
  }

  await revokeToken(page, /build server/)
  assertRefused(await example.ask('GET', '/v1/apps', { token }), 401, ['error="invalid_token"'])
})

behindNginx('a refusal is JSON, with one request id everywhere', async (world, example) => {
  const page = await world.signedIn()
  const reader = await createToken(page, 'reader', ['app:read'])
  const refused = async (status, error, options) => {
    const answer = await example.ask('GET', options.target ?? '/v1/apps', options)
    assert.equal(answer.status, status, JSON.stringify(answer))
    assert.ok(answer.fields.includes('content-type: application/json'), JSON.stringify(answer.fields))
    const body = JSON.parse(answer.content.slice(answer.content.indexOf('{'), answer.content.lastIndexOf('}') + 1))
    assert.equal(body.error, error)
    assert.match(body.error_description, /\.$/)
    const ids = answer.fields.filter((field) => field.startsWith('x-request-id: '))
    assert.deepEqual(ids, [`x-request-id: ${body.request_id}`])
    return body.request_id
  }
  await refused(401, 'unauthorized', {})
  await refused(401, 'invalid_token', { token: 'dc_00' })
  await refused(403, 'operator_required', { token: reader, target: '/v1/status' })
  const bare = await createToken(page, 'bare')
  const id = await refused(403, 'insufficient_scope', { token: bare })
  const operator = await world.server.operatorToken()
  const { body } = await me(world.server, reader)
  const actor = [['X-Actor-User-Id', body.user.id]]
  const { seen } = await example.ask('GET', '/v1/apps', { token: operator, headers: actor })
  assert.equal(Object.fromEntries(seen.headers)['x-auth-user-id'], body.user.id)
  assert.match(Object.fromEntries(seen.headers)['x-request-id'], /^[0-9a-f]{32}$/)
  assert.equal(Object.fromEntries(seen.headers)['x-actor-user-id'], undefined)
  assert.match(id, /^[0-9a-f]{32}$/)
})

behindNginx('a route is open to the scope and the place that it names', async (world, example) => {
  const page = await world.signedIn()
  const builder = await createToken(page, 'builder', ['app:read', 'app:deploy'])
  const reader = await createToken(page, 'reader', ['app:read'])
  const bare = await createToken(page, 'bare')
  const project = await createProject(world.server)
  const organization = (await me(world.server, builder)).body.organizations[0].id
  const stranger = await createToken(await world.signedIn(EVE), 'stranger', ['app:read', 'app:deploy'])
  const deploys = `/v1/projects/${project}/deploys`
  const usage = `/v1/organizations/${organization}/usage`

  const { status, seen } = await example.ask('POST', deploys, { token: builder, body: '{"build":7}' })
  assert.equal(status, 200)
  assert.deepEqual([seen.method, seen.url, seen.body], ['POST', deploys, '{"build":7}'])

  const lacking = ['error="insufficient_scope"']
  assertRefused(await example.ask('POST', deploys, { token: reader }), 403, [...lacking, 'scope="app:deploy"'])
  assertRefused(await example.ask('GET', '/v1/apps', { token: bare }), 403, [...lacking, 'scope="app:read"'])
  assertRefused(await example.ask('POST', deploys, { token: stranger }), 403, [])
  assertRefused(await example.ask('GET', usage, { token: stranger }), 403, [])
  assertRefused(await example.ask('GET', '/v1/projects/prj_nobody/deploys', { token: reader }), 403, [])

  for (const [target, token] of [
    [deploys, reader],
    [`/v1/projects/${project}`, reader],
    [usage, reader],
    ['/v1/apps', stranger],
    ['/v1/regions', bare],
  ]) {
    assert.equal((await example.ask('GET', target, { token })).status, 200, target)
  }
  assertRefused(await example.ask('GET', '/v1/regions'), 401, [])
})

behindNginx('the API is told who asks, and by nobody else', async (world, example) => {
  const token = await createToken(await world.signedIn(), 'laptop', ['app:read', 'app:deploy'])
  const { body } = await me(world.server, token)
  const forged = [
    ...IDENTITY.map((name) => [name, 'forged']),
    ['X-Auth-User-Id', 'forged'],
    ['X_Auth_User_Id', 'forged'],
    ['X.Auth.User.Id', 'forged'],
    ['X-Auth_Scopes', 'forged'],
    ['X~Auth~Scopes', 'forged'],
  ]
  for (const headers of [[], forged]) {
    const { status, seen } = await example.ask('GET', '/v1/apps', { token, headers })
    assert.equal(status, 200)
    const names = told(seen).map(([name]) => name)
    assert.deepEqual(names, [...new Set(names)], 'a header came twice')
    const identity = Object.fromEntries(told(seen))
    assert.equal(identity['x-auth-user-id'], body.user.id)
    assert.equal(identity['x-auth-token-id'], body.token.id)
    assert.equal(identity['x-auth-token-kind'], 'personal')
    // The route names no organization, and there are several: no role counts.
    assert.deepEqual(identity['x-auth-scopes'].split(' ').sort(), ['app:read'])
    assert.ok(!JSON.stringify(seen.headers).includes('forged'), JSON.stringify(seen.headers))
  }

  // Where nobody is known, nobody is named.
  const { status, seen } = await example.ask('GET', '/v1/health', { headers: forged })
  assert.equal(status, 200)
  assert.ok(!JSON.stringify(seen.headers).includes('forged'), JSON.stringify(seen.headers))
})

behindNginx('operator routes are the operator’s alone, and unnamed ones nobody’s', async (world, example) => {
  const token = await createToken(await world.signedIn(), 'laptop', ['app:read', 'app:deploy'])
  const operator = await world.server.operatorToken()
  for (const target of ['/v1/status', '/v1/databases', '/v1/databases/db_1/backups']) {
    for (const method of ['GET', 'POST', 'DELETE']) {
      assertRefused(await example.ask(method, target), 401, [])
      assertRefused(await example.ask(method, target, { token }), 403, [])
      assert.equal((await example.ask(method, target, { token: operator })).status, 200, `${method} ${target}`)
    }
  }
  const { seen } = await example.ask('GET', '/v1/apps', { token: operator })
  assert.equal(Object.fromEntries(told(seen))['x-auth-token-kind'], 'operator')

  for (const [method, target] of [
    ['GET', '/'],
    ['GET', '/v1'],
    ['GET', '/v1/unnamed'],
    ['DELETE', '/v1/apps'],
    ['GET', '/v1/apps/app_1'],
  ]) {
    for (const known of [token, operator]) {
      assert.equal((await example.ask(method, target, { token: known })).status, 403, `${method} ${target}`)
    }
    const { status } = await example.ask(method, target)
    assert.ok([401, 403].includes(status), `${method} ${target}: ${status}`)
  }

  assert.equal((await example.ask('GET', '/v1/health')).status, 200)
  assert.equal((await example.ask('HEAD', '/v1/health')).status, 200)
  assert.equal((await example.ask('OPTIONS', '/v1/apps')).status, 200)
})

behindNginx('no other writing of a request opens anything', async (world, example) => {
  const token = await createToken(await world.signedIn(), 'laptop', ['app:read'])
  for (const [method, target] of [
    ['GET', '/v1//status'],
    ['GET', '//v1/status'],
    ['GET', '/v1/status/'],
    ['GET', '/v1/apps/'],
    ['GET', '/v1/./apps'],
    ['GET', '/v1/health/../status'],
    ['GET', '/v1/health/%2e%2e/status'],
    ['GET', '/v1/health/..%2Fstatus'],
    ['GET', '/v1%2Fstatus'],
    ['GET', '/v1/health%2F..%2Fstatus'],
    ['GET', '/v1/health\\..\\status'],
    ['GET', '/v1/health%5C..%5Cstatus'],
    ['GET', '/v1/status;/v1/health'],
    ['GET', '/v1/Status'],
    ['GET', '/v1/status?/v1/health'],
    ['GET', '/v1/status%3F/v1/health'],
    ['GET', '/v1/status#/v1/health'],
    ['GET', '/v1/%zz'],
    ['GET', '/v1/%00'],
    ['get', '/v1/status'],
    ['options', '/v1/status'],
    ['POST', '/v1/apps'],
    ['GET', '/v1/status?scope=app:read'],
    ['POST', '/v1/projects/prj_nobody/deploys?scope=app:read'],
    ['GET', '/v1/projects/prj_nobody/deploys?project='],
  ]) {
    const { status, seen } = await example.ask(method, target, { token })
    assert.ok([400, 403].includes(status), `${method} ${target}: ${status}`)
    assert.equal(seen, null)
  }

  // What a client says about its own request is not believed.
  for (const [name, value] of [
    ['X-Original-URI', '/v1/health'],
    ['X-Original-Method', 'OPTIONS'],
    ['X-Forwarded-Uri', '/v1/health'],
    ['X-Forwarded-Method', 'OPTIONS'],
    ['X-HTTP-Method-Override', 'OPTIONS'],
  ]) {
    const { status } = await example.ask('GET', '/v1/status', { token, headers: [[name, value]] })
    assert.equal(status, 403, name)
  }
  const headers = [
    ['X-HTTP-Method-Override', 'DELETE'],
    ['X-Original-URL', '/v1/status'],
  ]
  const { status, seen } = await example.ask('GET', '/v1/apps?page=2', { token, headers })
  assert.equal(status, 200)
  assert.equal(seen.url, '/v1/apps?page=2')
  const names = seen.headers.map(([name]) => name)
  for (const [name] of headers) assert.ok(!names.includes(name.toLowerCase()), name)
})
