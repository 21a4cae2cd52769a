// A user without a mouse: keys alone, and what each stop of the focus must be.

import assert from 'node:assert/strict'

const MOST_STOPS = 90
/** Pixels; a choice and its label share a line, though not its height. */
const LINE = 24

/** What has the focus, or null: whether it is seen, and where it is. */
function stop(page) {
  return page.evaluate(() => {
    const element = document.activeElement
    if (element === null || element === document.body) return null
    // A radio button in a row of choices is drawn as its label.
    const drawn = [element, element.closest('label')].filter((one) => one !== null)
    const isOutlined = drawn.some((one) => {
      const { outlineStyle, outlineWidth } = getComputedStyle(one)
      return outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2
    })
    const shown = drawn.at(-1)
    const { top, bottom, left, right } = shown.getBoundingClientRect()
    const hit = document.elementFromPoint((left + right) / 2, Math.min((top + bottom) / 2, innerHeight - 1))
    return {
      html: element.outerHTML.slice(0, 120),
      isOutlined,
      isInSight: bottom > 0 && top < innerHeight && (shown.contains(hit) || (hit?.contains(shown) ?? false)),
      tabIndex: element.tabIndex,
      region: element.closest('header, nav, main, footer')?.localName ?? '',
      top: top + scrollY,
      bottom: bottom + scrollY,
      left,
      right,
    }
  })
}

/** Whether a reader would look back: up, and not to the right. */
const isBackwards = (from, to) => to.bottom <= from.top - LINE && to.left <= from.left && to.region === from.region

/** Presses a key that moves the focus, and holds the new stop to what each must be. */
async function step(page, key, from) {
  await page.keyboard.press(key)
  const now = await stop(page)
  if (now === null) return null
  const at = `${page.url()}: ${now.html}`
  assert.ok(now.isOutlined, `${at}: the focus is not drawn`)
  assert.ok(now.isInSight, `${at}: the focus is out of sight`)
  assert.equal(now.tabIndex, 0, `${at}: an order of its own`)
  const [first, second] = key === 'Tab' ? [from, now] : [now, from]
  assert.ok(!from || !isBackwards(first, second), `${at}: the focus jumps back`)
  return now
}

/** Moves the focus to this element with Tab, or with Shift+Tab. */
export async function tabTo(page, locator, key = 'Tab') {
  const hasFocus = () => locator.evaluate((element) => element === document.activeElement)
  let from = await stop(page)
  for (let stops = 0; stops < MOST_STOPS; stops += 1) {
    from = await step(page, key, from)
    if (await hasFocus()) return
  }
  assert.fail(`${page.url()}: ${locator} is not reached with ${key}`)
}

/** Presses a key that leads to another page. */
export async function leadsOn(page, key) {
  await Promise.all([page.waitForEvent('domcontentloaded'), page.keyboard.press(key)])
}

/** The text of what has the focus. */
export const focused = (page) => page.evaluate(() => document.activeElement.innerText)

/** A form was sent: its result has the focus, so that it is read first. */
export async function assertResult(page, text) {
  await page.locator('.notice:focus, h1:focus').waitFor()
  assert.match(await focused(page), text)
}
