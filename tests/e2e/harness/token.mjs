// Tokens that a person makes and ends in the console.

import { submit } from './browser.mjs'

/** The link with exactly this name. */
export const link = (page, name) => page.getByRole('link', { name, exact: true })
/** The button with exactly this name. */
export const button = (page, name) => page.getByRole('button', { name, exact: true })

/** Opens the menu of a row and follows this link in it. */
export async function choose(row, name) {
  await row.locator('summary[aria-label^="Actions for"]').click()
  await link(row, name).click()
}

/** Selects a scope in the form for a token: in the row of its resource, or with its box. */
export async function selectScope(page, scope) {
  const [, resource, verb] = scope.match(/^(.*):(.*)$/)
  const level = { read: 'Read', write: 'Read and write' }[verb]
  const row = page.getByRole('group', { name: resource, exact: true })
  if (level) await row.getByRole('radio', { name: level, exact: true }).check()
  else await page.getByRole('checkbox', { name: scope }).check()
}

/** The choice of an expiry that starts with this text. */
export const expiry = (page, text) =>
  page.getByRole('group', { name: 'Expires', exact: true }).getByRole('radio', { name: new RegExp(`^${text}`) })

/** Makes a token and answers it. */
export async function createToken(page, name, scopes = []) {
  await page.goto('/tokens')
  await link(page, 'New token').click()
  await page.getByLabel('Name').fill(name)
  for (const scope of scopes) await selectScope(page, scope)
  await submit(page, button(page, 'Create token'))
  return page.locator('[data-token]').innerText()
}

/** Ends the token with this name. */
export async function revokeToken(page, name) {
  await page.goto('/tokens')
  await choose(page.getByRole('row', { name }), 'Revoke')
  await submit(page, button(page, 'Revoke'))
}
