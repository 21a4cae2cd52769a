// No dead end: Back, reload, and a second tab.

import assert from 'node:assert/strict'
import { flow, invalid, signIn, signOut, submit } from './harness/browser.mjs'
import { askForCode, me, poll } from './harness/device.mjs'
import { ADA } from './harness/server.mjs'
import { button, createToken, expiry, link, selectScope } from './harness/token.mjs'

const SIGNED_IN_AGAIN = 'You signed in again. Check the form and send it once more.'

/** Fails if the browser sends a form while `act` runs. */
async function withoutPost(page, act) {
  const posts = []
  const note = (request) => request.method() === 'POST' && posts.push(request.url())
  page.on('request', note)
  await act()
  page.off('request', note)
  assert.deepEqual(posts, [])
}

/** Opens the form for a token and fills it in, without a date, which it needs. */
async function typeToken(page) {
  await page.goto('/tokens/new')
  await page.getByLabel('Name').fill('build server')
  await selectScope(page, 'orgs:read')
  await expiry(page, 'Custom').check()
}

async function assertKept(page) {
  assert.equal(await page.getByLabel('Name').inputValue(), 'build server')
  assert.ok(await page.locator('[value="orgs:read"]').isChecked())
  assert.ok(await expiry(page, 'Custom').isChecked())
}

flow('reload and Back after a new token ask nothing, and offer to rotate it', {}, async (world) => {
  const page = await world.signedIn()
  const token = await createToken(page, 'laptop')
  assert.equal((await me(world.server, token)).status, 200)
  await withoutPost(page, async () => {
    await page.reload()
    await page.getByText('was shown, and cannot be shown again.').waitFor()
    await world.inspect(page)
    await page.goBack()
    assert.equal(await page.getByLabel('Name').inputValue(), '')
    await page.goForward()
    await link(page, 'Rotate').click()
  })
  await submit(page, button(page, 'Rotate token'))
  const rotated = await page.locator('[data-token]').innerText()
  assert.notEqual(rotated, token)
  assert.equal((await me(world.server, rotated)).status, 200)
})

flow('reload and Back after an error keep what was typed', {}, async (world) => {
  const page = await world.signedIn()
  await typeToken(page)
  await submit(page, button(page, 'Create token'))
  await withoutPost(page, async () => {
    for (const again of [() => page.reload(), () => page.goBack().then(() => page.goForward())]) {
      await again()
      await invalid(page).waitFor()
      await assertKept(page)
    }
  })
  await expiry(page, '30 days').check()
  await submit(page, button(page, 'Create token'))
  await page.locator('[data-token]').waitFor()
})

flow('a form in a second tab survives a new sign-in', {}, async (world) => {
  const page = await world.signedIn()
  await typeToken(page)
  const other = await page.context().newPage()
  await other.goto('/account')
  await signOut(other)
  await signIn(other, ADA)

  await submit(page, button(page, 'Create token'))
  await page.getByText(SIGNED_IN_AGAIN).waitFor()
  await world.inspect(page)
  await assertKept(page)
  await expiry(page, '30 days').check()
  await submit(page, button(page, 'Create token'))
  await page.locator('[data-token]').waitFor()
})

flow('a form survives the end of the session', {}, async (world) => {
  const page = await world.signedIn()
  await typeToken(page)
  const other = await page.context().newPage()
  await other.goto('/account')
  await signOut(other)

  await submit(page, button(page, 'Create token'))
  await signIn(page, { ...ADA, password: 'not the password at all' })
  await signIn(page, ADA)
  await page.getByText(SIGNED_IN_AGAIN).waitFor()
  await assertKept(page)
})

flow('a throttled sign-in keeps the email and names the time', {}, async (world) => {
  const page = await world.visitor()
  await page.goto('/login')
  for (let attempt = 0; attempt < 6; attempt++) {
    await signIn(page, { ...ADA, password: 'not the password at all' })
  }
  await page.getByText(/Too many attempts\..* Try again in \d+ seconds\./).waitFor()
  assert.equal(await page.getByLabel('Email').inputValue(), ADA.email)
  await world.inspect(page)
  await withoutPost(page, () => page.reload())
  assert.equal(await page.getByLabel('Email').inputValue(), ADA.email)
})

flow('reload of the consent page and of its result ask nothing', {}, async (world) => {
  const page = await world.signedIn()
  const device = await askForCode(world.server, { scope: 'orgs:read' })
  await page.goto('/device')
  await page.getByLabel('Code').fill(device.user_code)
  await submit(page, button(page, 'Continue'))
  await withoutPost(page, () => page.reload())
  await submit(page, button(page, 'Approve'))
  const approved = page.getByRole('heading', { name: /is signed in$/ })
  await approved.waitFor()
  await withoutPost(page, async () => {
    await page.reload()
    await approved.waitFor()
    await page.goBack()
    await approved.waitFor()
  })
  assert.ok((await poll(world.server, device)).access_token)
})

flow('an error page keeps the navigation and leads back', {}, async (world) => {
  const page = await world.signedIn()
  await page.goto('/tokens/tok_x/rotate')
  await page.getByRole('navigation', { name: 'Personal' }).waitFor()
  await world.inspect(page)
  await link(page, 'Back to your tokens').click()
  await page.waitForURL('**/tokens')
})
