// Looks at a page as it stands: accessibility in both colour schemes, and a narrow screen.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const WIDE = { width: 1280, height: 800 }
const NARROW = { width: 320, height: 640 }
const RULES = {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  rules: { 'target-size': { enabled: true } },
  resultTypes: ['violations'], // Of the rest, one example each: far quicker.
}

async function violations(page) {
  const { violations, passes } = await page.evaluate((rules) => globalThis.axe.run(document, rules), RULES)
  assert.ok(passes.length > 0, 'axe looked at nothing')
  return violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map((n) => n.failureSummary + '\n' + n.html) }))
}

/** Everything that sticks out to the right of a narrow screen. */
function sideways(page) {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.scrollingElement
    const wide = [...document.body.querySelectorAll('*')]
      .filter((element) => element.getBoundingClientRect().right > innerWidth)
      .map((element) => element.outerHTML.slice(0, 160))
    return scrollWidth > clientWidth ? { scrollWidth, clientWidth, wide } : null
  })
}

/**
 * Controls that cannot be hit in a square of 24 px. A label belongs to its control; a link in a
 * sentence is exempt, as in WCAG 2.5.8.
 */
function smallTargets(page) {
  return page.evaluate(() => {
    const SIDE = 24
    const parts = (element) => [element, ...(element.labels ?? [])]
    const isBig = (part) => {
      const { width, height } = part.getBoundingClientRect()
      return width >= SIDE && height >= SIDE
    }
    const isHitAround = (element) => {
      element.scrollIntoView({ block: 'center' })
      const { x, y, width, height } = element.getBoundingClientRect()
      const reach = SIDE / 2 - 0.5
      return [-reach, reach].every((dx) =>
        [-reach, reach].every((dy) => {
          const hit = document.elementFromPoint(x + width / 2 + dx, y + height / 2 + dy)
          return parts(element).some((part) => part.contains(hit))
        }),
      )
    }
    const inSentence = (element) =>
      element.matches('a') &&
      getComputedStyle(element).display === 'inline' &&
      element.parentElement.textContent.trim() !== element.textContent.trim()
    return [...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
      .filter((element) => element.checkVisibility() && !inSentence(element))
      .filter((element) => !parts(element).some(isBig) && !isHitAround(element))
      .map((element) => element.outerHTML)
  })
}

/**
 * Holds the page to what every page in every state must be. axe is a script itself, so without
 * scripts only the measures are taken.
 */
export async function inspect(page, { hasScripts }) {
  const at = `${await page.title()} (${page.url()})`
  if (hasScripts) await page.evaluate(axeSource)
  for (const viewport of [WIDE, NARROW]) {
    await page.setViewportSize(viewport)
    assert.deepEqual(await smallTargets(page), [], `${at}: controls too small to hit`)
    for (const colorScheme of hasScripts ? ['light', 'dark'] : []) {
      await page.emulateMedia({ colorScheme })
      assert.deepEqual(await violations(page), [], `${at}, ${colorScheme}, ${viewport.width} px wide`)
    }
  }
  assert.equal(await sideways(page), null, `${at} scrolls sideways at ${NARROW.width} px`)
  await page.emulateMedia({ colorScheme: null })
  await page.setViewportSize(WIDE)
}

/** Controls that a reader sees and that do nothing: buttons of no form, and links to nowhere. */
export function deadControls(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll('button, input, select, textarea, a')]
      .filter((element) => element.checkVisibility())
      .filter((element) => {
        if (element.localName === 'a') return !element.getAttribute('href')
        return element.form === null || (element.localName === 'button' && element.type !== 'submit')
      })
      .map((element) => element.outerHTML),
  )
}

/** Forms that the browser could not send: without a path, a button or the name of a field. */
export function brokenForms(page) {
  return page.evaluate(() =>
    [...document.forms]
      .filter((form) => {
        const path = form.getAttribute('action')
        const fields = [...form.elements].filter((element) => element.matches('input, select, textarea'))
        const isNamed = fields.every((field) => field.name !== '' || field.closest('[hidden]'))
        return !path?.startsWith('/') || !form.querySelector('button:not([type=button])') || !isNamed
      })
      .map((form) => form.outerHTML.slice(0, 160)),
  )
}

/** The visible text, without what only the script can do: copying, revealing, searching, adding up. */
export function textWithoutComfort(page) {
  return page.evaluate(() => {
    const comfort = '[data-copy], [data-reveal], [data-search], [data-summary], [data-zone], [data-copy-status]'
    for (const element of document.querySelectorAll(comfort)) element.remove()
    return document.body.innerText.replace(/\s+/g, ' ')
  })
}
