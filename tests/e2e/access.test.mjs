// What admins do for their organization: invite people, block a token of a member, verify the log.

import assert from 'node:assert/strict'
import { after } from 'node:test'
import { flow, submit } from './harness/browser.mjs'
import { me } from './harness/device.mjs'
import { startMailbox } from './harness/mailbox.mjs'
import { ADA, BOB } from './harness/server.mjs'
import { button, choose, createToken, link } from './harness/token.mjs'

const INVITED = ['gita', 'hal', 'ivo', 'jo', 'kim'].map((name) => `${name}@example.com`)

const mailbox = await startMailbox()
after(() => mailbox.stop())

flow('five people are invited with three actions', { settings: mailbox.settings }, async (world) => {
  const page = await world.signedIn()
  await page.goto('/o/acme/members')
  await world.inspect(page)
  let actions = 0
  const act = (action) => (actions++, action)
  await act(page.getByLabel('Email addresses').fill(INVITED.join('\n')))
  await act(page.getByLabel('Role', { exact: true }).selectOption('admin'))
  await act(submit(page, button(page, 'Send invitations')))
  await page.getByRole('heading', { name: 'Invitations', exact: true }).waitFor()
  await world.inspect(page)
  assert.equal(await page.getByText('Sent', { exact: true }).count(), INVITED.length)
  for (const _ of INVITED) assert.ok(INVITED.includes((await mailbox.next()).to))
  assert.equal(actions, 3)
  await page.reload()
  await page.getByText('cannot be shown again').waitFor()
  await world.inspect(page)
})

flow('an admin blocks a token and lifts the block', { people: [ADA, BOB] }, async (world) => {
  const member = await world.signedIn(BOB)
  const token = await createToken(member, 'laptop', ['orgs:read'])
  const page = await world.signedIn()
  await page.goto('/o/acme')
  await world.inspect(page)
  await link(page, 'View tokens').click()
  const row = page.getByRole('row', { name: /laptop/ })
  await row.waitFor()
  await world.inspect(page)
  await choose(row, 'Block')
  await world.inspect(page)
  await submit(page, button(page, 'Block token'))
  await page.getByText('is blocked.').waitFor()
  await world.inspect(page)
  assert.equal((await me(world.server, token)).status, 403)
  await member.goto('/tokens')
  await link(member, 'laptop').click()
  await member.getByText('Blocked for Acme.').waitFor()
  await world.inspect(member)
  await row.locator('summary').click()
  await submit(page, button(row, 'Unblock'))
  await page.getByText('reaches Acme again.').waitFor()
  assert.equal((await me(world.server, token)).status, 200)
  await row.locator('summary').click()
  await submit(page, button(row, 'Ask to rotate'))
  await page.getByText('No message was sent').waitFor()
  await member.reload()
  await member.getByText('asks you to rotate this token').waitFor()
  await world.inspect(member)
})

flow('an admin verifies the log', {}, async (world) => {
  const page = await world.signedIn()
  await page.goto('/o/acme/audit')
  await page.getByText('Not verified yet.').waitFor()
  await world.inspect(page)
  await submit(page, button(page, 'Verify now'))
  await page.getByText('none changed or missing').waitFor()
  await world.inspect(page)
})
