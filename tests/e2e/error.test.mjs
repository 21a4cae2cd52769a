// What people see when something is wrong with the request itself.

import assert from 'node:assert/strict'
import { flow, submit } from './harness/browser.mjs'

const wayBack = (page) => page.getByRole('main').getByRole('link', { name: 'Go to the start page' })

async function assertErrorPage(world, page, response, status) {
  assert.equal(response.status(), status)
  assert.match(response.headers()['content-type'], /^text\/html; *charset=utf-8$/i)
  await page.getByRole('heading', { level: 1 }).waitFor()
  await wayBack(page).waitFor()
  await world.inspect(page)
}

flow('an address with nothing there, signed in or not', {}, async (world) => {
  for (const page of [await world.visitor(), await world.signedIn()]) {
    await assertErrorPage(world, page, await page.goto('/no/such/page'), 404)
    await wayBack(page).click()
    await page.getByRole('heading', { level: 1 }).waitFor()
  }
})

flow('the address of a form leads to its page', {}, async (world) => {
  const page = await world.signedIn()
  for (const [address, shown] of [['/device/decide', '/device'], ['/account/name', '/account'], ['/logout', '/tokens']]) {
    const response = await page.goto(address)
    assert.equal(response.status(), 200)
    assert.equal(new URL(page.url()).pathname, shown)
  }
  await page.goto('/account')
  assert.equal(new URL(page.url()).pathname, '/account', 'opening an address signed the person out')
})

flow('a form of another browser changes nothing', {}, async (world) => {
  const page = await world.signedIn()
  const stranger = await world.signedIn()
  await stranger.goto('/account')
  const foreign = await stranger.locator('input[name=csrf]').first().inputValue()
  for (const csrf of ['', 'invented', foreign]) {
    await page.goto('/account')
    await page.getByLabel('Name').fill('Mallory')
    await page.locator('input[name=csrf]').evaluateAll((inputs, csrf) => inputs.forEach((input) => (input.value = csrf)), csrf)
    const response = await submit(page, page.getByRole('button', { name: 'Save name' }))
    assert.equal(response.status(), 403)
  }
  await world.inspect(page)
  await page.goto('/account')
  assert.notEqual(await page.getByLabel('Name').inputValue(), 'Mallory')
})

flow('a form that is far too large', {}, async (world) => {
  const page = await world.signedIn()
  await page.goto('/account')
  await page.getByLabel('Name').evaluate((input) => {
    input.removeAttribute('maxlength')
    input.value = 'x'.repeat(100_000)
  })
  const response = await submit(page, page.getByRole('button', { name: 'Save name' }))
  assert.equal(response.status(), 413)
  await world.inspect(page)
})
