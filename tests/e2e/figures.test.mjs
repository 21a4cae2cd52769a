// Figures of the design: how many steps a task takes, how tall a list is, how much a page weighs.

import assert from 'node:assert/strict'
import { gunzipSync } from 'node:zlib'
import { request } from 'node:http'
import { flow, submit } from './harness/browser.mjs'
import { askForCode, poll } from './harness/device.mjs'
import { button } from './harness/token.mjs'

const TOKENS = 26
const PHONE = { width: 390, height: 844 }

/** The bytes that the server sends for a path, still compressed. */
function sent(server, path, headers) {
  return new Promise((resolve, reject) => {
    const answer = (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }))
    }
    request(`${server.address}${path}`, { headers }, answer).on('error', reject).end()
  })
}

flow('a link is approved with a tick and a press', {}, async (world) => {
  const page = await world.signedIn()
  const codes = await askForCode(world.server)
  await page.goto(codes.verification_uri_complete)
  const actions = [
    () => page.getByLabel('I started this sign-in').check(),
    () => submit(page, button(page, 'Approve')),
  ]
  for (const act of actions) await act()
  assert.ok((await poll(world.server, codes)).access_token)
})

flow('a list of 26 tokens is short, and a page is light', {}, async (world) => {
  const page = await world.signedIn()
  for (let i = 0; i < TOKENS; i++) {
    await page.goto('/tokens/new')
    await page.getByLabel('Name').fill(`Token number ${i}`)
    await submit(page, button(page, 'Create token'))
  }
  await page.setViewportSize(PHONE)
  await page.goto('/tokens')
  assert.equal(await page.getByRole('row').count(), TOKENS + 1)
  const height = await page.locator('body').evaluate(() => document.documentElement.scrollHeight)
  assert.ok(height <= 2000, `${height} px`)
  // Nothing runs before the first paint.
  assert.equal(await page.locator('script:not([defer])').count(), 0)

  const files = await page.locator('head :is([href], [src]):not([rel=apple-touch-icon])').evaluateAll((all) =>
    all.map((one) => new URL(one.href || one.src).pathname))
  let bytes = Buffer.byteLength(await page.content())
  for (const path of files) {
    const compressed = await sent(world.server, path, { 'accept-encoding': 'gzip, deflate, br' })
    const plain = await sent(world.server, path, {})
    assert.equal(compressed.headers['content-encoding'], 'gzip')
    assert.equal(plain.headers['content-encoding'], undefined)
    assert.deepEqual(gunzipSync(compressed.body), plain.body)
    if (path.endsWith('.css')) assert.ok(compressed.body.length <= 10_000, `${compressed.body.length} bytes`)
    bytes += compressed.body.length
  }
  if (process.env.FIGURES) console.log(`${height} px, ${bytes} bytes`)
  assert.ok(bytes <= 60_000, `${bytes} bytes`)
})
