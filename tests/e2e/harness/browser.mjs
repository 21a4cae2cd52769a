// A browser, and the two ways in which every flow is walked: with JavaScript and without.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { chromium } from 'playwright-core'
import { inspect } from './page.mjs'
import { ADA, startServer } from './server.mjs'

const STEP_LIMIT_MS = 10_000
const FLOW_LIMIT_MS = 120_000

let launching
const start = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium-headless-shell',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })

/** The browser of all tests of a file. Chromium crashes at its start now and then. */
export async function launch() {
  launching ??= start().catch(start)
  return launching
}
after(async () => (await launching)?.close())

/**
 * What a page must never do: write an error to the console, break its own content security
 * policy, reach for another server, miss an asset, or make the server fail.
 */
function watch(context, origins) {
  const faults = []
  context.on('weberror', (error) => faults.push(`uncaught: ${error.error().message}`))
  context.on('console', (message) => {
    // Chromium reports a page's own 4xx here too; those are judged below, by what was asked for.
    const aboutAnswer = message.text().startsWith('Failed to load resource')
    if (message.type() === 'error' && !aboutAnswer) faults.push(`console: ${message.text()}`)
  })
  context.on('request', (request) => {
    if (!origins.includes(new URL(request.url()).origin)) faults.push(`asked another server: ${request.url()}`)
  })
  context.on('response', (response) => {
    const allowed = response.request().resourceType() === 'document' ? 499 : 399
    if (response.status() > allowed) faults.push(`${response.status()} for ${response.url()}`)
  })
  return faults
}

/** One test's world: a server, and browsers that visit it. */
class World {
  #javaScriptEnabled
  #origins
  #visits = []

  constructor(server, javaScriptEnabled, elsewhere) {
    this.#javaScriptEnabled = javaScriptEnabled
    this.#origins = [server.url, ...elsewhere]
    this.server = server
  }

  /** Closes the browsers; tells what they saw that no page may do. */
  async close() {
    for (const { context } of this.#visits) await context.close()
    return this.#visits.flatMap(({ faults }) => faults)
  }

  get hasScripts() {
    return this.#javaScriptEnabled
  }

  /** Holds a page, in the state it is in, to what every page must be. */
  inspect(page) {
    return inspect(page, this)
  }

  /** A browser of its own, with no cookies. */
  async visitor() {
    const context = await (await launch()).newContext({
      baseURL: this.server.url,
      ignoreHTTPSErrors: true, // The proxy's certificate is its own.
      javaScriptEnabled: this.#javaScriptEnabled,
      reducedMotion: 'reduce',
    })
    context.setDefaultTimeout(STEP_LIMIT_MS)
    this.#visits.push({ context, faults: watch(context, this.#origins) })
    return context.newPage()
  }

  /** A browser in which this person has signed in. */
  async signedIn(person = ADA) {
    const page = await this.visitor()
    await page.goto('/login')
    await signIn(page, person)
    await page.waitForURL((url) => url.pathname !== '/login')
    return page
  }
}

/** Presses what sends a form; the answer, once the page it leads to is there. */
export async function submit(page, button) {
  const isPost = (response) => response.request().method() === 'POST'
  const arrival = [page.waitForResponse(isPost), page.waitForEvent('domcontentloaded')]
  const [response] = await Promise.all([...arrival, button.click()])
  let request = response.request()
  while (request.redirectedTo()) request = request.redirectedTo()
  return request.response()
}

/** The first field that the server did not accept; its message is beside it. */
export const invalid = (page) => page.locator('[aria-invalid=true]').first()

/** Opens the menu of the account and signs out. */
export async function signOut(page) {
  await page.locator('.bar summary').last().click()
  return submit(page, page.getByRole('banner').getByRole('button', { name: 'Sign out' }))
}

/** Fills in the sign-in page and sends it. */
export async function signIn(page, { email, password }) {
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  return submit(page, page.getByRole('button', { name: 'Sign in', exact: true }))
}

/** One walk of a flow, on a server of its own. */
function declare(name, javaScriptEnabled, { people = [ADA], elsewhere = [], ...options }, walk) {
  test(name, { timeout: FLOW_LIMIT_MS }, async () => {
    const server = await startServer(options)
    const world = new World(server, javaScriptEnabled, elsewhere)
    let faults
    try {
      for (const person of people) await server.addUser(person)
      await walk(world)
    } finally {
      faults = await world.close()
      await server.stop()
    }
    assert.deepEqual(faults, [])
  })
}

/**
 * Declares a flow: one test with JavaScript and one without, each on a server of its own.
 * Unless `people` says otherwise, Ada has an account there. `elsewhere` are other origins that the
 * browser may go to; the rest is for `startServer`.
 */
export function flow(name, options, walk) {
  for (const javaScriptEnabled of [true, false]) {
    declare(`${name}, JavaScript ${javaScriptEnabled ? 'on' : 'off'}`, javaScriptEnabled, options, walk)
  }
}

/** Declares a test for which pages are only the way, so that it is walked once. */
export function once(name, options, walk) {
  declare(name, true, options, walk)
}
