// Browsers and terminals that are signed in.

import assert from 'node:assert/strict'
import { flow, submit } from './harness/browser.mjs'
import { askForCode, me, poll } from './harness/device.mjs'
import { button, link } from './harness/token.mjs'

const heading = (page, name) => page.getByRole('heading', { name, exact: true })

/** Signs a terminal in; answers its token. */
async function terminal({ server }, page, name) {
  const codes = await askForCode(server, { device_name: name })
  await page.goto('/device')
  await page.getByLabel('Code').fill(codes.user_code)
  await submit(page, button(page, 'Continue'))
  await submit(page, button(page, 'Approve'))
  return (await poll(server, codes)).access_token
}

flow('a terminal and another browser are found and signed out', {}, async (world) => {
  const other = await world.signedIn()
  const page = await world.signedIn()
  const token = await terminal(world, page, 'ada-laptop')
  await page.goto('/tokens')
  await link(page, 'Devices').first().click()
  await heading(page, 'Devices').waitFor()
  await world.inspect(page)
  for (const width of [320, 390, 1280]) {
    await page.setViewportSize({ width, height: 800 })
    const overflow = await page.locator('body').evaluate(() => document.documentElement.scrollWidth - innerWidth)
    assert.ok(overflow <= 0, `${overflow} px too wide at ${width} px`)
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/devices.${width}.png` })
  }

  await page.getByRole('row', { name: /ada-laptop/ }).getByRole('link', { name: /^Sign out/ }).click()
  await heading(page, 'Sign out “ada-laptop”?').waitFor()
  await world.inspect(page)
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/device-question.png` })
  assert.equal((await me(world.server, token)).status, 200)
  await submit(page, page.getByRole('main').getByRole('button', { name: 'Sign out' }))
  await page.getByText('That terminal is signed out.').waitFor()
  assert.equal((await me(world.server, token)).status, 401)

  await page.getByRole('link', { name: 'Sign out all others' }).click()
  await world.inspect(page)
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/device-others.png` })
  await submit(page, button(page, 'Sign out all others'))
  await page.getByText('All other browsers and terminals are signed out.').waitFor()
  await world.inspect(page)
  assert.equal(await page.getByRole('row').count(), 2, 'the head and this browser')
  await other.goto('/tokens')
  assert.equal(new URL(other.url()).pathname, '/login')
})
