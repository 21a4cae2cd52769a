// The first account, through the link that the first start prints.

import assert from 'node:assert/strict'
import { flow, invalid, signIn, submit } from './harness/browser.mjs'
import { ADA } from './harness/server.mjs'

async function fillIn(page, { name, email, org }, password) {
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByLabel('Organization').fill(org)
  await submit(page, page.getByRole('button', { name: 'Create account' }))
}

flow('the setup link makes the first account, once', { people: [] }, async (world) => {
  const page = await world.visitor()
  await page.goto(world.server.setupLink)
  await world.inspect(page)

  await fillIn(page, ADA, 'too short')
  await invalid(page).waitFor()
  assert.equal(await page.getByLabel('Name').inputValue(), ADA.name)
  assert.equal(await page.getByLabel('Organization').inputValue(), ADA.org)
  assert.equal(await page.getByLabel('Password', { exact: true }).inputValue(), '')
  assert.equal(await page.getByLabel('Password', { exact: true }).getAttribute('aria-invalid'), 'true')
  assert.equal(await page.locator(':focus').getAttribute('id'), 'password')
  await world.inspect(page)

  await fillIn(page, ADA, ADA.password)
  await page.waitForURL((url) => url.pathname !== '/setup')
  await world.inspect(page)
  if (new URL(page.url()).pathname === '/login') await signIn(page, ADA)
  await page.goto('/account')
  assert.equal(await page.getByLabel('Name').inputValue(), ADA.name)

  const latecomer = await world.visitor()
  await latecomer.goto(world.server.setupLink)
  await latecomer.getByRole('heading', { name: 'Setup is done' }).waitFor()
  await world.inspect(latecomer)
})

flow('a wrong setup link makes nothing', { people: [] }, async (world) => {
  const page = await world.visitor()
  const link = new URL(world.server.setupLink)
  for (const [name, value] of link.searchParams) link.searchParams.set(name, value.split('').reverse().join(''))
  for (const wrong of [link.href, '/setup']) {
    await page.goto(wrong)
    await page.getByRole('heading', { name: 'This setup link does not work' }).waitFor()
    assert.equal(await page.getByRole('textbox').count(), 0)
  }
  await world.inspect(page)
})
