// Sensitive steps ask for a new sign-in when the last one is too old.

import assert from 'node:assert/strict'
import { flow, submit } from './harness/browser.mjs'
import { askForCode } from './harness/device.mjs'
import { ADA } from './harness/server.mjs'
import { button } from './harness/token.mjs'

const CLIENT = ['--id', 'acme-cli', '--name', 'Acme CLI', '--scope', 'orgs:read', '--scope', 'orgs:write']

/** Moves the sign-ins of all sessions into the past. */
const age = (server) =>
  server.sql("update session set created_at = strftime('%Y-%m-%d %H:%M:%f', 'now', '-11 minutes')")

flow('a device with a high-risk scope is approved after a new sign-in', {}, async (world) => {
  await world.server.run(['client', 'add', ...CLIENT])
  const page = await world.signedIn()
  const form = { client_id: 'acme-cli', scope: 'orgs:read orgs:write' }
  const { user_code } = await askForCode(world.server, form)
  let clicks = 0
  const press = (control) => {
    clicks++
    return submit(page, control)
  }
  await page.goto('/device')
  await page.getByLabel('Code').fill(user_code)
  await press(button(page, 'Continue'))
  await page.getByLabel('orgs:read').uncheck()
  await age(world.server)

  await press(button(page, 'Approve'))
  await page.getByText('This step needs a recent sign-in.').waitFor()
  assert.equal(await page.getByLabel('Email').inputValue(), ADA.email)
  await world.inspect(page)
  await page.getByLabel('Password', { exact: true }).fill(ADA.password)
  await press(button(page, 'Sign in'))
  await page.getByText('You signed in again.').waitFor()
  assert.equal(await page.getByLabel('orgs:read').isChecked(), false, 'the choice is lost')
  assert.ok(await page.getByLabel('orgs:write').isChecked())
  await world.inspect(page)
  await press(button(page, 'Approve'))
  await page.getByRole('heading', { level: 1 }).waitFor()
  assert.equal(new URL(page.url()).pathname, '/device/result')
  console.log(`approval with a new sign-in: ${clicks} clicks, 2 of them for the sign-in`)
  assert.equal(clicks, 4)
})

flow('the security page asks for a new sign-in before a change of the password', {}, async (world) => {
  const page = await world.signedIn()
  await page.goto('/account/security')
  await page.getByLabel('Current password').waitFor()
  await world.inspect(page)
  await age(world.server)
  await page.reload()
  await world.inspect(page)
  await page.getByRole('link', { name: 'Sign in again' }).click()
  await page.getByLabel('Password', { exact: true }).fill(ADA.password)
  await submit(page, button(page, 'Sign in'))
  await page.getByLabel('Current password').waitFor()
  assert.equal(new URL(page.url()).pathname, '/account/security')
})
