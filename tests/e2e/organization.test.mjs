// An organization from its making to its end, with the people, projects and tokens in it.

import assert from 'node:assert/strict'
import { flow, invalid, submit } from './harness/browser.mjs'
import { me } from './harness/device.mjs'
import { ADA } from './harness/server.mjs'
import { button, choose, createToken, link, selectScope } from './harness/token.mjs'

const CHARLES = { email: 'charles@example.com', name: 'Charles Babbage', password: 'brass engine on a hill' }
const section = (page, name) => page.locator('nav.tabs').getByRole('link', { name, exact: true })

/** Makes an organization; its page is open afterwards. */
async function createOrganization(world, page, name) {
  await page.locator('.bar summary').first().click()
  await link(page, 'All organizations').click()
  await world.inspect(page)
  await page.getByRole('main').getByRole('link', { name: 'New organization', exact: true }).click()
  await world.inspect(page)
  await page.getByLabel('Name').fill(name)
  await submit(page, button(page, 'Create organization'))
  await page.getByRole('heading', { name, level: 1 }).waitFor()
  await world.inspect(page)
}

/** Invites a user by email address; answers the link. */
async function invite(world, page) {
  await section(page, 'Members').click()
  await world.inspect(page)
  await page.getByLabel('Email addresses').fill(CHARLES.email)
  await submit(page, button(page, 'Create invitations'))
  await page.getByRole('heading', { name: 'Invitation created' }).waitFor()
  await world.inspect(page)
  const url = await page.locator('.secret code').innerText()
  await link(page, 'Back to members').click()
  await page.getByText(CHARLES.email).waitFor()
  return url
}

/** Somebody without an account follows the link and joins. */
async function join(world, url) {
  const page = await world.visitor()
  await page.goto(url)
  await world.inspect(page)
  await page.getByLabel('Name').fill(CHARLES.name)
  const email = page.getByLabel('Email')
  if (await email.isEditable()) await email.fill(CHARLES.email)
  await page.getByLabel('Password', { exact: true }).fill('short')
  await submit(page, button(page, 'Create account'))
  await invalid(page).waitFor()
  await world.inspect(page)
  await page.getByLabel('Password', { exact: true }).fill(CHARLES.password)
  await submit(page, button(page, 'Create account'))
  // The answer does not reveal whether the address had an account, so the new user signs in.
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await world.inspect(page)
  await page.getByLabel('Email').fill(CHARLES.email)
  await page.getByLabel('Password', { exact: true }).fill(CHARLES.password)
  await submit(page, button(page, 'Sign in'))
  await submit(page, button(page, 'Accept invitation'))
  await page.getByText('You are now a member.').waitFor()
  return page
}

/** The new member's row in the list of members, which is open. */
const row = (page) => page.getByRole('row', { name: new RegExp(CHARLES.email) })

// A new user joins an organization that a user created by an invitation with an address only.
const USERS = { DOORCODE__ORGANIZATIONS__MADE_BY: 'users' }

flow('an organization lives from its making to its end', { settings: USERS }, async (world) => {
  const owner = await world.signedIn()
  await createOrganization(world, owner, 'Analytical Engines')
  const url = await invite(world, owner)
  const guest = await join(world, url)
  await world.inspect(guest)

  // The link worked once.
  const late = await world.visitor()
  await late.goto(url)
  await late.getByRole('heading', { name: 'This invitation link does not work' }).waitFor()
  await world.inspect(late)

  // A member sees what there is, and for whom the rest is.
  for (const name of ['Members', 'Projects', 'Policy']) {
    await section(guest, name).click()
    await guest.getByRole('heading', { level: 1 }).waitFor()
    await world.inspect(guest)
  }
  const token = await createToken(guest, 'their laptop', ['orgs:read'])
  assert.equal((await me(world.server, token)).status, 200)

  // A project, and its member.
  await section(owner, 'Projects').click()
  await world.inspect(owner)
  await link(owner, 'New project').click()
  await world.inspect(owner)
  await owner.getByLabel('Name').fill('Difference')
  await submit(owner, button(owner, 'Create project'))
  await owner.getByLabel('Add a member').selectOption({ label: `${CHARLES.name} (${CHARLES.email})` })
  await submit(owner, button(owner, 'Add member'))
  await owner.getByText('was added to the project').waitFor()
  await world.inspect(owner)
  await guest.goto('/o/analytical-engines/projects')
  await link(guest, 'Difference').click()
  await world.inspect(guest)

  // Another role.
  await section(owner, 'Members').click()
  await row(owner).getByRole('combobox').selectOption('admin')
  await submit(owner, button(row(owner), 'Save'))
  await owner.getByText('now has the role admin').waitFor()
  await world.inspect(owner)

  // A policy that the member's token breaks.
  await row(owner).getByRole('combobox').selectOption('member')
  await submit(owner, button(row(owner), 'Save'))
  await section(owner, 'Policy').click()
  await world.inspect(owner)
  await owner.locator('#personal_tokens').getByLabel('Admins and owners').check()
  await owner.getByLabel('Longest lifetime').selectOption('90d')
  await owner.getByLabel('Tokens may never expire').uncheck()
  await submit(owner, button(owner, 'Review changes'))
  await owner.getByRole('row', { name: /their laptop/ }).waitFor()
  await world.inspect(owner)
  await owner.getByLabel('1 day').check()
  await submit(owner, button(owner, 'Apply policy'))
  await owner.getByText('will be denied after the grace period').waitFor()
  await world.inspect(owner)
  assert.equal((await me(world.server, token)).status, 200, 'the grace runs')

  // The member goes, and the token at once with them.
  await section(owner, 'Members').click()
  await choose(row(owner), 'Remove')
  await owner.getByText('their laptop').waitFor()
  await world.inspect(owner)
  await submit(owner, button(owner, 'Remove member'))
  await owner.getByText('The member is removed').waitFor()
  assert.equal((await me(world.server, token)).status, 401)
  await guest.goto('/o/analytical-engines')
  await guest.getByRole('heading', { name: "You don't have access" }).waitFor()
  await world.inspect(guest)

  // The end.
  await section(owner, 'Overview').click()
  await link(owner, 'Delete organization').click()
  await owner.getByLabel('Name of the organization').fill('Engines')
  await submit(owner, button(owner, 'Delete organization'))
  await invalid(owner).waitFor()
  await world.inspect(owner)
  await owner.getByLabel('Name of the organization').fill('Analytical Engines')
  await submit(owner, button(owner, 'Delete organization'))
  await owner.getByText('The organization is deleted.').waitFor()
  await world.inspect(owner)
  assert.equal(await link(owner, 'Analytical Engines').count(), 0)
})

flow('an organization token is made, copied, rotated and revoked', {}, async (world) => {
  const page = await world.signedIn(ADA)
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.goto('/o/acme')
  await section(page, 'Tokens').click()
  await link(page, 'New token').click()
  await world.inspect(page)
  await page.getByLabel('Name').fill('build server')
  await selectScope(page, 'projects:read')
  await submit(page, button(page, 'Create token'))
  const old = await page.locator('[data-token]').innerText()
  await world.inspect(page)
  if (world.hasScripts) {
    await button(page, 'Copy').click()
    await page.getByRole('status').filter({ hasText: /./ }).waitFor()
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), old)
  }
  await link(page, 'I have stored it').click()
  const row = page.getByRole('row', { name: /build server/ })
  await row.getByText('Created by Ada Lovelace').waitFor()
  await world.inspect(page)

  await choose(row, 'Rotate')
  await world.inspect(page)
  await page.getByLabel('1 hour').check()
  await submit(page, button(page, 'Rotate token'))
  const token = await page.locator('[data-token]').innerText()
  assert.notEqual(token, old)
  await world.inspect(page)
  for (const each of [old, token]) assert.equal((await me(world.server, each)).status, 200)

  await link(page, 'I have stored it').click()
  await page.getByText('Replaced', { exact: true }).waitFor()
  await world.inspect(page)
  await link(page, 'Revoke all').click()
  await world.inspect(page)
  await submit(page, button(page, 'Revoke all'))
  await page.getByText('2 tokens revoked').waitFor()
  for (const each of [old, token]) assert.equal((await me(world.server, each)).status, 401)
})
