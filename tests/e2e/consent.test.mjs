// Approving or denying what a device asks for.

import assert from 'node:assert/strict'
import { flow, invalid, signIn, signOut, submit } from './harness/browser.mjs'
import { askForCode, me, poll } from './harness/device.mjs'
import { ADA, BOB } from './harness/server.mjs'

const STARTED_MYSELF = 'I started this sign-in'
const ASKED = 'orgs:read projects:read tokens:read'

const button = (page, name) => page.getByRole('button', { name, exact: true })
const press = (page, name) => submit(page, button(page, name))
const heading = (page, name) => page.getByRole('heading', { name, exact: true })

/** Types a code and arrives at the consent page. */
async function typeCode(page, { user_code }) {
  await page.goto('/device')
  await page.getByLabel('Code').fill(user_code)
  await press(page, 'Continue')
  await button(page, 'Approve').waitFor()
}

/** Gives Ada a second organization, and each of the two a project; answers the ids of the projects. */
async function addProjects({ server }) {
  await server.run(['org', 'add', '--name', 'Globex', '--owner', ADA.email])
  const ids = []
  for (const [org, name] of [['Acme', 'Website'], ['Globex', 'Reactor']]) {
    const answer = await server.run(['project', 'add', '--org', org, '--name', name])
    ids.push(answer.match(/prj_\w+/)[0])
  }
  return ids
}

const box = (page, name) => page.getByRole('checkbox', { name, exact: true })

/** Follows the link that has the code in it. */
async function followLink(page, { verification_uri_complete }) {
  await page.goto(verification_uri_complete)
  await button(page, 'Approve').waitFor()
}

flow('approving gives the device a token for what it asked', {}, async (world) => {
  const { server } = world
  const page = await world.signedIn()
  const codes = await askForCode(server, { scope: ASKED, device_name: 'ada-laptop' })
  await typeCode(page, codes)
  await world.inspect(page)

  const main = page.getByRole('main')
  await main.getByText('Request details').click()
  for (const fact of ['doorcode-cli', 'ada-laptop', 'Name not checked', '127.0.0.1', 'Same network as this browser', ADA.email, codes.user_code]) {
    await main.getByText(fact).first().waitFor()
  }
  for (const scope of ASKED.split(' ')) {
    const box = page.getByRole('checkbox', { name: scope })
    assert.ok(await box.isChecked(), scope)
    assert.ok(await page.locator(`[id="${await box.getAttribute('aria-describedby')}"]`).innerText(), scope)
  }
  assert.equal(await page.getByLabel(STARTED_MYSELF).count(), 0, 'a typed code from this network needs no more')
  assert.equal((await poll(server, codes)).error, 'authorization_pending')

  await press(page, 'Approve')
  await heading(page, 'Doorcode CLI is signed in').waitFor()
  await world.inspect(page)
  const { access_token, scope, token_type } = await poll(server, codes)
  assert.equal(token_type, 'Bearer')
  assert.equal(scope, ASKED)
  const { status, body } = await me(server, access_token)
  assert.equal(status, 200)
  assert.equal(body.user.email, ADA.email)

  await page.goto('/tokens')
  await page.getByRole('row', { name: /ada-laptop/ }).waitFor()
  await world.inspect(page)
})

flow('denying tells the device so', {}, async (world) => {
  const page = await world.signedIn()
  const codes = await askForCode(world.server)
  await typeCode(page, codes)
  await press(page, 'Deny')
  await heading(page, 'Denied').waitFor()
  await world.inspect(page)
  assert.equal((await poll(world.server, codes)).error, 'access_denied')
})

flow('an unticked scope is not granted', {}, async (world) => {
  const page = await world.signedIn()
  const codes = await askForCode(world.server, { scope: ASKED })
  await typeCode(page, codes)
  await page.getByRole('checkbox', { name: 'projects:read' }).uncheck()
  await press(page, 'Approve')
  await heading(page, 'Doorcode CLI is signed in').waitFor()
  const { access_token, scope } = await poll(world.server, codes)
  assert.equal(scope, 'orgs:read tokens:read')
  assert.deepEqual((await me(world.server, access_token)).body.scopes.sort(), ['orgs:read', 'tokens:read'])
})

flow('with every scope unticked the token can only say whose it is', {}, async (world) => {
  const page = await world.signedIn()
  const codes = await askForCode(world.server, { scope: 'orgs:read' })
  await typeCode(page, codes)
  await page.getByRole('checkbox', { name: 'orgs:read' }).uncheck()
  await press(page, 'Approve')
  await heading(page, 'Doorcode CLI is signed in').waitFor()
  await world.inspect(page)
  const { access_token, scope } = await poll(world.server, codes)
  assert.equal(scope, '')
  assert.equal((await me(world.server, access_token)).status, 200)
})

flow('a code that expires before the press is not approved', {}, async (world) => {
  const page = await world.signedIn()
  const codes = await askForCode(world.server)
  await typeCode(page, codes)
  await world.server.sql("update device_grant set expires_at = '2020-01-01 00:00:00.000'")
  await press(page, 'Approve')
  await heading(page, 'The code has expired').waitFor()
  await world.inspect(page)
  assert.equal((await poll(world.server, codes)).error, 'expired_token')
})

flow('after a link the person has to say that they started it', {}, async (world) => {
  const page = await world.signedIn()
  const codes = await askForCode(world.server, { scope: ASKED })
  await followLink(page, codes)
  await world.inspect(page)

  await page.getByRole('checkbox', { name: 'tokens:read' }).uncheck()
  await press(page, 'Approve')
  await invalid(page).waitFor()
  await world.inspect(page)
  assert.equal((await poll(world.server, codes)).error, 'authorization_pending')
  assert.equal(await page.getByRole('checkbox', { name: 'tokens:read' }).isChecked(), false, 'the choice was lost')

  await page.getByLabel(STARTED_MYSELF).check()
  await press(page, 'Approve')
  await heading(page, 'Doorcode CLI is signed in').waitFor()
  assert.equal((await poll(world.server, codes)).scope, 'orgs:read projects:read')
})

flow('after a link denying asks for nothing more', {}, async (world) => {
  const page = await world.signedIn()
  const codes = await askForCode(world.server)
  await followLink(page, codes)
  await press(page, 'Deny')
  await heading(page, 'Denied').waitFor()
  assert.equal((await poll(world.server, codes)).error, 'access_denied')
})

const ADMINS_DEPLOY = {
  DOORCODE__SCOPES: '[{ name = "app:deploy", description = "Deploy builds and roll back", min_role = "admin" }]',
}
flow('what a role does not allow is not granted', { people: [ADA, BOB], settings: ADMINS_DEPLOY }, async (world) => {
  const page = await world.signedIn(BOB)
  const codes = await askForCode(world.server, { scope: 'app:deploy orgs:read' })
  await typeCode(page, codes)
  await page.getByText('Not included, because your role does not allow it').waitFor()
  assert.equal(await page.getByRole('checkbox').count(), 1)
  await world.inspect(page)
  await press(page, 'Approve')
  assert.equal((await poll(world.server, codes)).scope, 'orgs:read')

  const nothing = await askForCode(world.server, { scope: 'app:deploy' })
  await typeCode(page, nothing)
  await page.getByText('It will only see your identity.').waitFor()
  await world.inspect(page)

  const admin = await world.signedIn(ADA)
  await typeCode(admin, nothing)
  await admin.getByText('Deploy builds and roll back').waitFor()
  await press(admin, 'Approve')
  assert.equal((await poll(world.server, nothing)).scope, 'app:deploy')
})

const BEHIND_PROXY = { DOORCODE__SERVER__TRUSTED_PROXIES: '["127.0.0.1"]' }
flow('a request from another network has to be confirmed too', { settings: BEHIND_PROXY }, async (world) => {
  const page = await world.signedIn()
  const codes = await askForCode(world.server, {}, { 'X-Forwarded-For': '203.0.113.9' })
  await typeCode(page, codes)
  await page.getByRole('main').getByText('203.0.113.9').first().waitFor()
  await world.inspect(page)
  await press(page, 'Approve')
  await invalid(page).waitFor()
  assert.equal((await poll(world.server, codes)).error, 'authorization_pending')
  await page.getByLabel(STARTED_MYSELF).check()
  await press(page, 'Approve')
  await heading(page, 'Doorcode CLI is signed in').waitFor()
})

flow('another account can be used instead', { people: [ADA, BOB] }, async (world) => {
  const page = await world.signedIn(ADA)
  const codes = await askForCode(world.server)
  await typeCode(page, codes)
  await press(page, 'Use another account')
  await signIn(page, BOB)
  await page.waitForURL((url) => url.pathname === '/device')
  assert.equal(await page.getByLabel('Code').inputValue(), codes.user_code)
  await press(page, 'Continue')
  await page.getByRole('main').getByText(BOB.email).waitFor()
  const confirm = page.getByLabel(STARTED_MYSELF)
  if (await confirm.count()) await confirm.check()
  await press(page, 'Approve')
  await heading(page, 'Doorcode CLI is signed in').waitFor()
  const { access_token } = await poll(world.server, codes)
  assert.equal((await me(world.server, access_token)).body.user.email, BOB.email)
})

flow('a consent page is good for the account that saw it alone', { people: [ADA, BOB] }, async (world) => {
  const page = await world.signedIn(ADA)
  const codes = await askForCode(world.server)
  await typeCode(page, codes)

  const tab = await page.context().newPage()
  await tab.goto('/account')
  await signOut(tab)
  await signIn(tab, BOB)
  await tab.getByText(`Account menu, ${BOB.email}`).waitFor()

  await press(page, 'Approve')
  assert.equal(await heading(page, 'Doorcode CLI is signed in').count(), 0)
  await world.inspect(page)
  assert.equal((await poll(world.server, codes)).error, 'authorization_pending')
})

flow('the first decision stands', {}, async (world) => {
  const page = await world.signedIn()
  const codes = await askForCode(world.server)
  await typeCode(page, codes)
  const tab = await page.context().newPage()
  await typeCode(tab, codes)
  await press(tab, 'Deny')
  await heading(tab, 'Denied').waitFor()
  await press(page, 'Approve')
  await heading(page, 'Already decided').waitFor()
  await world.inspect(page)
  assert.equal((await poll(world.server, codes)).error, 'access_denied')
})

flow('the keyboard reaches Deny before Approve', {}, async (world) => {
  const page = await world.signedIn()
  const codes = await askForCode(world.server)
  await followLink(page, codes)

  const reached = []
  while (reached.at(-1) !== 'Approve' && reached.length < 40) {
    await page.keyboard.press('Tab')
    reached.push(await page.locator(':focus').evaluate((element) => (element.labels?.[0] ?? element).textContent.trim()))
  }
  assert.deepEqual(reached.slice(-3), [STARTED_MYSELF, 'Deny', 'Approve'])
  assert.equal(await page.locator('[autofocus]').count(), 0)

  await page.getByLabel(STARTED_MYSELF).press('Space')
  assert.ok(await page.getByLabel(STARTED_MYSELF).isChecked())
  await button(page, 'Approve').press('Enter')
  await heading(page, 'Doorcode CLI is signed in').waitFor()
})

flow('Enter in a checkbox approves nothing', {}, async (world) => {
  const page = await world.signedIn()
  const codes = await askForCode(world.server)
  await followLink(page, codes)
  await page.getByLabel(STARTED_MYSELF).check()
  for (const box of await page.getByRole('checkbox').all()) {
    await box.press('Enter')
    // Without a script the browser presses the form's first button, and that is Deny.
    if (!world.hasScripts) return heading(page, 'Denied').waitFor()
    assert.equal(await button(page, 'Approve').count(), 1)
  }
  assert.equal((await poll(world.server, codes)).error, 'authorization_pending')
})

flow('Approve and Deny are equal in size, wide and narrow', {}, async (world) => {
  const page = await world.signedIn()
  await typeCode(page, await askForCode(world.server))
  for (const viewport of [{ width: 1280, height: 800 }, { width: 320, height: 640 }]) {
    await page.setViewportSize(viewport)
    const [deny, approve] = await Promise.all(['Deny', 'Approve'].map((name) => button(page, name).boundingBox()))
    assert.ok(Math.abs(deny.width - approve.width) < 1, `${deny.width} and ${approve.width}`)
    assert.ok(Math.abs(deny.height - approve.height) < 1, `${deny.height} and ${approve.height}`)
  }
})

const MANY = Array.from({ length: 11 }, (_, n) => `app${n}:${n % 2 ? 'read' : 'write'}`)
const MANY_SCOPES = {
  DOORCODE__SCOPES: `[${MANY.map((name, n) => `{ name = "${name}", description = "Use app ${n}"${n ? '' : ', risk = "high"'} }`)}]`,
}
flow('18 scopes are shown by risk, with Approve and Deny in sight', { settings: MANY_SCOPES }, async (world) => {
  const page = await world.signedIn()
  const all = [...MANY, ...['tokens', 'orgs', 'projects'].flatMap((name) => [`${name}:read`, `${name}:write`]), 'audit:read']
  await world.server.run(['client', 'add', '--id', 'wide', '--name', 'Wide', ...all.flatMap((name) => ['--scope', name])])
  await typeCode(page, await askForCode(world.server, { client_id: 'wide', scope: all.join(' '), organization: 'acme' }))
  await page.getByText('2 high risk, 7 write, 9 read').waitFor()
  const named = await page.getByRole('checkbox').evaluateAll((boxes) => boxes.filter((box) => box.name === 'scope').map((box) => box.value))
  assert.equal(named.length, 18)
  assert.deepEqual(named.slice(0, 2).sort(), ['app0:write', 'orgs:write'])
  await world.inspect(page)
  for (const viewport of [{ width: 1280, height: 800 }, { width: 390, height: 844 }]) {
    await page.setViewportSize(viewport)
    await page.evaluate(() => scrollTo(0, 0))
    for (const name of ['Deny', 'Approve']) {
      const { y, height } = await button(page, name).boundingBox()
      assert.ok(y > 0 && y + height <= viewport.height, `${name}: ${y} of ${viewport.height}`)
    }
  }
})

flow('a hostile device name is shown as text', {}, async (world) => {
  const page = await world.signedIn()
  const device_name = '<img src=x onerror="document.title=1">"\'&{{7*7}} 👩\u200d💻'
  await typeCode(page, await askForCode(world.server, { device_name }))
  assert.equal(await page.getByRole('main').locator('img').count(), 0)
  const shown = await page.getByRole('main').innerText()
  assert.ok(shown.includes(device_name), shown)
  await world.inspect(page)
})

flow('a token is limited to a project for a week', {}, async (world) => {
  const { server } = world
  const [website] = await addProjects(world)
  const page = await world.signedIn()
  const codes = await askForCode(server, { scope: ASKED })
  await typeCode(page, codes)
  assert.equal(await box(page, 'Website').isVisible(), false, 'limits are folded until they are wanted')
  await page.getByText('Limit the access').click()
  await world.inspect(page)

  await page.getByLabel('Organization', { exact: true }).selectOption('Acme')
  assert.equal(await box(page, 'Reactor').isVisible(), !world.hasScripts)
  await box(page, 'Website').check()
  await page.getByLabel('Access ends', { exact: true }).selectOption('In 7 days')
  await press(page, 'Approve')
  await heading(page, 'Doorcode CLI is signed in').waitFor()
  await page.getByRole('main').getByText('Acme, Website').waitFor()
  await world.inspect(page)
  const { access_token, expires_in } = await poll(server, codes)
  const { body } = await me(server, access_token)
  assert.deepEqual(body.projects.map(({ id }) => id), [website])
  assert.equal(Math.ceil(expires_in / 86_400), 7)
})

flow('a mistake in the limits keeps what was chosen', {}, async (world) => {
  await addProjects(world)
  const page = await world.signedIn()
  const codes = await askForCode(world.server, { scope: ASKED })
  await typeCode(page, codes)
  await page.getByText('Limit the access').click()
  for (const name of ['Website', 'Reactor']) await box(page, name).check()
  await page.getByLabel('Access ends', { exact: true }).selectOption('On a date I choose')
  await page.getByLabel('Custom date').fill('2026-12-24')
  await press(page, 'Approve')
  await page.getByText('Choose projects of one organization.').waitFor()
  await world.inspect(page)
  assert.equal(await page.getByLabel('Custom date').inputValue(), '2026-12-24')
  assert.equal((await poll(world.server, codes)).error, 'authorization_pending')

  await box(page, 'Reactor').uncheck()
  await press(page, 'Approve')
  await page.getByRole('main').getByText('Acme, Website').waitFor()
})

flow('what the device asks to be limited to is chosen already', {}, async (world) => {
  const [, project] = await addProjects(world)
  const page = await world.signedIn()
  const codes = await askForCode(world.server, { scope: ASKED, project })
  await typeCode(page, codes)
  assert.ok(await box(page, 'Reactor').isChecked())
  assert.equal(await box(page, 'Website').isVisible(), !world.hasScripts)
  await world.inspect(page)
  await press(page, 'Approve')
  await page.getByRole('main').getByText('Globex, Reactor').waitFor()

  await typeCode(page, await askForCode(world.server, { organization: 'initech' }))
  await page.getByText('access limited to the organization initech').waitFor()
  await world.inspect(page)
})

flow('a request that a policy forbids has no Approve', { people: [ADA, BOB] }, async (world) => {
  const page = await world.signedIn(BOB)
  await world.server.sql("update organization set personal_tokens = 'admins'")
  const codes = await askForCode(world.server, { scope: ASKED, device_name: 'bob-desktop' })
  await page.goto('/device')
  await page.getByLabel('Code').fill(codes.user_code)
  await press(page, 'Continue')
  await heading(page, 'Acme does not allow this sign-in').waitFor()
  await page.getByText('Your role is member').waitFor()
  assert.equal(await button(page, 'Approve').count(), 0)
  await world.inspect(page)

  const owners = await page.context().newPage()
  await owners.goto(await page.getByRole('link', { name: 'owner of Acme' }).getAttribute('href'))
  await owners.getByText(ADA.email).waitFor()

  await press(page, 'End this request')
  await heading(page, 'This sign-in is not allowed').waitFor()
  await world.inspect(page)
  const { error, error_description } = await poll(world.server, codes)
  assert.equal(error, 'access_denied')
  assert.match(error_description, /only admins and owners/)
})
