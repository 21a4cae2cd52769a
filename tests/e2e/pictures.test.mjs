// The pages as they look: each picture is compared with the approved one in pictures/.
// `tests/run approve` takes the pictures of the working tree as the approved ones.

import assert from 'node:assert/strict'
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import pixelmatch from 'pixelmatch'
import { PNG } from 'pngjs'
import { launch } from './harness/browser.mjs'
import { brokenForms, deadControls, inspect, textWithoutComfort } from './harness/page.mjs'
import { encode } from './harness/png.mjs'
import { HOSTILE, PICTURES, SHOWN, serveSamples, visit } from './harness/samples.mjs'

const APPROVED = new URL('pictures/', import.meta.url)
/** The pictures that differ, and beside each what differs. */
const FAILED = new URL('../../target/pictures/', import.meta.url)
/** The part of a picture that may differ, as curves are not drawn alike on all machines. */
const TOLERANCE = 0.001
const MOST_BYTES = 6_000_000
/** The pictures of the main pages, for readers; `pages.md` shows them. */
const DOCUMENTED = new URL('../../docs/reference/pages/', import.meta.url)
const MOST_DOCUMENTED_BYTES = 1_500_000
/** Pixels; what is below repeats what is above. */
const TALLEST = 1_250
const WIDTHS = [1280, 390]
const HEIGHT = { 1280: 800, 390: 844 }
const SCHEMES = ['light', 'dark']

const isApproval = Boolean(process.env.APPROVE_PICTURES)
let server
let browser
before(async () => {
  server = await serveSamples()
  browser = await launch()
})
after(() => server.close())

const open = (sample, width, colorScheme) =>
  visit(browser, `${server.url}/${sample}.html`, { colorScheme, viewport: { width, height: HEIGHT[width] } })

/**
 * The page down to TALLEST, as a file. The window is as tall as the picture, so that a bar at its
 * lower edge hides nothing in the middle.
 */
async function picture(page, width) {
  const total = await page.evaluate(() => document.documentElement.scrollHeight)
  const height = Math.min(total, TALLEST)
  await page.setViewportSize({ width, height })
  return encode(PNG.sync.read(await page.screenshot({ animations: 'disabled', caret: 'hide' })))
}

/** Keeps a picture, for readers too if it is that of a main page. */
async function approve(file, picture) {
  await writeFile(new URL(`${file}.png`, APPROVED), picture)
  const shown = SHOWN.find((name) => file === `${name}-1280-light`)
  if (shown) await writeFile(new URL(`${shown}.png`, DOCUMENTED), picture)
}

/** Compares two files, since a file has fewer colours than the page. */
async function compare(name, file) {
  const shown = PNG.sync.read(file)
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
    for (const folder of isApproval ? [APPROVED, DOCUMENTED] : [FAILED]) await mkdir(folder, { recursive: true })
    const faults = []
    for (const width of WIDTHS) {
      for (const scheme of SCHEMES) {
        const page = await open(sample, width, scheme)
        const file = `${name}-${width}-${scheme}`
        const shown = await picture(page, width)
        await page.context().close()
        if (isApproval) {
          await approve(file, shown)
          continue
        }
        try {
          await compare(file, shown)
        } catch (error) {
          await writeFile(new URL(`${file}.png`, FAILED), shown)
          faults.push(error.message)
        }
      }
    }
    assert.deepEqual(faults, [])
  })

  test(`${name} is the same page without the script`, async () => {
    const [plain, page] = await Promise.all([false, true].map((javaScriptEnabled) =>
      visit(browser, `${server.url}/${sample}.html`, { javaScriptEnabled })))
    assert.deepEqual(await deadControls(plain), [])
    assert.deepEqual(await brokenForms(plain), [])
    assert.equal(await textWithoutComfort(plain), await textWithoutComfort(page))
    for (const one of [plain, page]) await one.context().close()
  })
}

for (const sample of [...Object.values(PICTURES), ...HOSTILE]) {
  test(`${sample} is accessible and fits 320 px`, async () => {
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

test('the documentation shows the approved pictures of the main pages', async () => {
  const text = await readFile(new URL('../pages.md', DOCUMENTED), 'utf8')
  let bytes = 0
  for (const name of SHOWN) {
    const shown = await readFile(new URL(`${name}.png`, DOCUMENTED))
    assert.ok(shown.equals(await readFile(new URL(`${name}-1280-light.png`, APPROVED))), name)
    assert.ok(text.includes(`](pages/${name}.png)`), `${name} is not in pages.md`)
    bytes += shown.length
  }
  assert.deepEqual((await readdir(DOCUMENTED)).sort(), SHOWN.map((name) => `${name}.png`).sort())
  assert.ok(bytes <= MOST_DOCUMENTED_BYTES, `${bytes} bytes`)
})
