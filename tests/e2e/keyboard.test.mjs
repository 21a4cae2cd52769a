// The five main tasks with the keyboard alone.

import assert from 'node:assert/strict'
import { flow } from './harness/browser.mjs'
import { askForCode, me, poll } from './harness/device.mjs'
import { assertResult, focused, leadsOn, tabTo } from './harness/keyboard.mjs'
import { button, createToken, expiry, link } from './harness/token.mjs'

const MANY = 30

flow('a device is signed in by its link with the keyboard', {}, async (world) => {
  const page = await world.signedIn()
  const codes = await askForCode(world.server, { device_name: 'ada-laptop' })
  await page.goto(codes.verification_uri_complete)
  const confirm = page.getByLabel('I started this sign-in')
  await tabTo(page, confirm)
  await page.keyboard.press('Space')
  assert.ok(await confirm.isChecked())
  await tabTo(page, button(page, 'Approve'))
  await leadsOn(page, 'Enter')
  await assertResult(page, /is signed in$/)
  assert.ok((await poll(world.server, codes)).access_token)
})

flow('a token is made with a preset and the keyboard', {}, async (world) => {
  const page = await world.signedIn()
  await page.goto('/tokens')
  await tabTo(page, link(page, 'New token'))
  await leadsOn(page, 'Enter')
  const name = page.getByLabel('Name')
  await page.locator('#name:focus').waitFor()
  await tabTo(page, link(page, 'Read only'))
  // Without the script the preset is a page, which starts at the name again.
  if (world.hasScripts) {
    await page.keyboard.press('Enter')
    await tabTo(page, name, 'Shift+Tab')
  } else {
    await leadsOn(page, 'Enter')
    await page.locator('#name:focus').waitFor()
  }
  await page.keyboard.type('Dashboard')
  await page.keyboard.press('Tab')
  // The arrows move within a group of choices, which is one stop.
  const chosen = page.locator('[name=expires]:checked')
  assert.ok(await chosen.evaluate((input) => input === document.activeElement))
  const before = await chosen.inputValue()
  await page.keyboard.press('ArrowLeft')
  assert.notEqual(await chosen.inputValue(), before)
  await page.keyboard.press('ArrowRight')
  assert.equal(await chosen.inputValue(), before)
  const audit = page.getByRole('group', { name: 'audit', exact: true })
  const read = audit.getByRole('radio', { name: 'Read', exact: true })
  assert.ok(await read.isChecked(), 'the preset selects what only reads')
  await tabTo(page, read)
  await page.keyboard.press('ArrowLeft')
  assert.ok(await audit.getByRole('radio', { name: 'None', exact: true }).isChecked())
  await tabTo(page, button(page, 'Create token'))
  await tabTo(page, expiry(page, '90 days'), 'Shift+Tab')
  await tabTo(page, button(page, 'Create token'))
  await leadsOn(page, 'Enter')
  await assertResult(page, /^Copy your token now$/)
  await page.keyboard.press('Tab')
  const token = await focused(page)
  const { body } = await me(world.server, token)
  assert.deepEqual([body.token.name, body.token.scopes.sort()], ['Dashboard', ['orgs:read', 'projects:read', 'tokens:read']])
  await tabTo(page, link(page, 'I have stored it'))
  await leadsOn(page, 'Enter')
  await page.getByRole('row', { name: /Dashboard/ }).waitFor()
})

flow('one of many tokens is found and revoked with the keyboard', {}, async (world) => {
  const page = await world.signedIn()
  const maker = await createToken(page, 'maker', ['tokens:read', 'tokens:write'])
  for (let number = 1; number < MANY; number += 1) {
    const answer = await fetch(`${world.server.address}/v1/tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${maker}`, 'content-type': 'application/json', 'idempotency-key': `token ${number}` },
      body: JSON.stringify({ name: `Build server ${number}.` }),
    })
    assert.equal(answer.status, 201)
  }
  await page.goto('/tokens')
  // The first stop skips the bar and the tabs.
  await page.keyboard.press('Tab')
  assert.equal(await focused(page), 'Skip to content')
  await page.keyboard.press('Enter')
  await page.locator('main:focus').waitFor()
  await tabTo(page, page.getByLabel('Search tokens'))
  await page.keyboard.type('server 14.')
  await leadsOn(page, 'Enter')
  await tabTo(page, page.locator('summary[aria-label="Actions for Build server 14."]'))
  await page.keyboard.press('Enter')
  await tabTo(page, link(page, 'Revoke'))
  await leadsOn(page, 'Enter')
  await page.getByRole('heading', { name: /Build server 14/ }).waitFor()
  await tabTo(page, button(page, 'Revoke'))
  await leadsOn(page, 'Enter')
  await assertResult(page, /Build server 14\..*revoked/s)
})

flow('five people are invited with the keyboard', {}, async (world) => {
  const page = await world.signedIn()
  const people = ['bob', 'eve', 'grace', 'joan', 'tim'].map((name) => `${name}@example.com`)
  await page.goto('/o/acme')
  await tabTo(page, page.getByRole('navigation', { name: 'Acme' }).getByRole('link', { name: 'Members' }))
  await leadsOn(page, 'Enter')
  await tabTo(page, page.getByLabel('Email addresses'))
  await page.keyboard.type(people.join(', '))
  const role = page.getByLabel('Role', { exact: true }).last()
  await tabTo(page, role)
  const before = await role.inputValue()
  await page.keyboard.press('ArrowDown')
  assert.notEqual(await role.inputValue(), before)
  await page.keyboard.press('ArrowUp')
  assert.equal(await role.inputValue(), before)
  await tabTo(page, button(page, 'Create invitations'))
  await leadsOn(page, 'Enter')
  await assertResult(page, /^Invitations$/)
  for (const person of people) assert.equal(await page.getByLabel(`Link for ${person}`).count(), 1)
})

flow('a device is signed out with the keyboard', {}, async (world) => {
  const page = await world.signedIn()
  const codes = await askForCode(world.server, { device_name: 'ada-laptop' })
  await page.goto(codes.verification_uri_complete)
  await page.getByLabel('I started this sign-in').check()
  await button(page, 'Approve').click()
  await page.getByRole('heading', { name: /is signed in$/ }).waitFor()
  const token = (await poll(world.server, codes)).access_token
  await page.goto('/tokens')
  await tabTo(page, page.getByRole('navigation', { name: 'Personal' }).getByRole('link', { name: 'Devices' }))
  await leadsOn(page, 'Enter')
  await tabTo(page, page.getByRole('link', { name: /^Sign out ada-laptop/ }))
  await leadsOn(page, 'Enter')
  assert.equal((await me(world.server, token)).status, 200)
  await tabTo(page, page.getByRole('main').getByRole('button', { name: 'Sign out' }))
  await leadsOn(page, 'Enter')
  await assertResult(page, /That terminal is signed out/)
  assert.equal((await me(world.server, token)).status, 401)
})
