// The pages as they look: each picture is compared with the approved one in pictures/.
// `tests/run approve` takes the pictures of the working tree as the approved ones.

import assert from 'node:assert/strict'
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import pixelmatch from 'pixelmatch'
import { PNG } from 'pngjs'
import { launch } from './harness/browser.mjs'
import { inspect } from './harness/page.mjs'
import { NOW, serveSamples } from './harness/samples.mjs'

const APPROVED = new URL('pictures/', import.meta.url)
/** The pictures that differ, and beside each what differs. */
const FAILED = new URL('../../target/pictures/', import.meta.url)
/** The part of a picture that may differ, as curves are not drawn alike on all machines. */
const TOLERANCE = 0.001
const MOST_BYTES = 6_000_000
/** Pixels; what is below repeats what is above. */
const TALLEST = 1_250
const WIDTHS = [1280, 390]
const HEIGHT = { 1280: 800, 390: 844 }
const SCHEMES = ['light', 'dark']

/** Each picture, and the sample that it shows. */
const PICTURES = {
  account: 'account--plain',
  'admin-clients': 'admin-clients--all',
  'admin-health': 'admin-health--good',
  'admin-users': 'admin-users--all',
  approved: 'approved--plain',
  audit: 'audit--several',
  consent: 'consent--plain',
  'consent-forbidden': 'consent-forbidden--policy',
  'consent-many-scopes': 'consent--many',
  'consent-other-network': 'consent--network',
  'device-code': 'device--empty',
  devices: 'devices--some',
  'empty-tokens': 'tokens--empty',
  'error-404': 'error-404--organization',
  forgot: 'forgot--empty',
  login: 'login--empty',
  'login-error': 'login--refused',
  members: 'members--owner',
  organization: 'org--owner',
  policy: 'policy--owner',
  'revoke-question': 'revoke--origin',
  token: 'token--rotated',
  'token-created': 'token-created--plain',
  'token-new': 'token-new--many',
  tokens: 'tokens--several',
}

const isApproval = Boolean(process.env.APPROVE_PICTURES)
let server
let browser
before(async () => {
  server = await serveSamples()
  browser = await launch()
})
after(() => server.close())

async function open(sample, width, colorScheme) {
  const context = await browser.newContext({
    viewport: { width, height: HEIGHT[width] },
    colorScheme,
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
    locale: 'en-GB',
  })
  const page = await context.newPage()
  await page.clock.setFixedTime(new Date(NOW))
  await page.goto(`${server.url}/${sample}.html`)
  return page
}

/** The page down to TALLEST. */
async function picture(page, width) {
  const height = await page.evaluate(() => document.documentElement.scrollHeight)
  const clip = { x: 0, y: 0, width, height: Math.min(height, TALLEST) }
  return PNG.sync.read(await page.screenshot({ fullPage: true, clip, animations: 'disabled', caret: 'hide' }))
}

/** A file with colours in 16 steps a channel: half as large, and the comparison sees no difference. */
function compressed({ width, height, data }) {
  const coarse = new PNG({ width, height })
  coarse.data = Buffer.from(data, 0, data.length).map((value) => Math.round(value / 17) * 17)
  return PNG.sync.write(coarse, { colorType: 2, filterType: -1, deflateLevel: 9 })
}

async function compare(name, shown) {
  const approved = PNG.sync.read(await readFile(new URL(`${name}.png`, APPROVED)))
  assert.deepEqual([shown.width, shown.height], [approved.width, approved.height], `${name}: another size`)
  const difference = new PNG({ width: shown.width, height: shown.height })
  const count = pixelmatch(shown.data, approved.data, difference.data, shown.width, shown.height, { threshold: 0.1 })
  if (count <= TOLERANCE * shown.width * shown.height) return
  await writeFile(new URL(`${name}.difference.png`, FAILED), PNG.sync.write(difference))
  assert.fail(`${name}: ${count} pixels differ; see target/pictures`)
}

for (const [name, sample] of Object.entries(PICTURES)) {
  test(`${name} looks as approved`, async () => {
    await mkdir(isApproval ? APPROVED : FAILED, { recursive: true })
    const faults = []
    for (const width of WIDTHS) {
      for (const scheme of SCHEMES) {
        const page = await open(sample, width, scheme)
        const file = `${name}-${width}-${scheme}`
        const shown = await picture(page, width)
        await page.context().close()
        if (isApproval) {
          await writeFile(new URL(`${file}.png`, APPROVED), compressed(shown))
          continue
        }
        try {
          await compare(file, shown)
        } catch (error) {
          await writeFile(new URL(`${file}.png`, FAILED), compressed(shown))
          faults.push(error.message)
        }
      }
    }
    assert.deepEqual(faults, [])
  })

  test(`${name} is accessible and fits 320 px`, async () => {
    const page = await open(sample, 1280, 'light')
    await inspect(page, { hasScripts: true })
    await page.context().close()
  })
}

test('the approved pictures are small, and each belongs to a page', async () => {
  const names = await readdir(APPROVED)
  const expected = Object.keys(PICTURES).flatMap((name) =>
    WIDTHS.flatMap((width) => SCHEMES.map((scheme) => `${name}-${width}-${scheme}.png`)),
  )
  assert.deepEqual(names.sort(), expected.sort())
  const sizes = await Promise.all(names.map((name) => stat(new URL(name, APPROVED))))
  const bytes = sizes.reduce((sum, { size }) => sum + size, 0)
  assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`)
})
