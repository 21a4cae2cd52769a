// The samples of the templates' unit tests, in a browser. `tests/run` writes them to target/pages.

import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'

const ROOT = new URL('../../../', import.meta.url)
const PAGES = new URL('target/pages/', ROOT)
/** When the samples were rendered: the script of a page must not move their relative times. */
const NOW = '2026-11-22T01:43:10Z'
/** Fonts differ from machine to machine, and pictures must not. */
const FONTS = ':root { --sans: "DejaVu Sans"; --mono: "DejaVu Sans Mono" }'

/** Each picture, and the sample that it shows. */
export const PICTURES = {
  account: 'account--plain',
  'account-security': 'account-security--plain',
  'admin-clients': 'admin-clients--ordinary',
  'admin-health': 'admin-health--good',
  'admin-users': 'admin-users--ordinary',
  approved: 'approved--plain',
  audit: 'audit--ordinary',
  consent: 'consent--plain',
  'consent-forbidden': 'consent-forbidden--policy',
  'consent-many-scopes': 'consent--many',
  'consent-other-network': 'consent--other-network',
  'device-code': 'device--empty',
  devices: 'devices--ordinary',
  'empty-tokens': 'tokens--empty',
  'error-404': 'error-404--organization',
  forgot: 'forgot--empty',
  login: 'login--empty',
  'login-error': 'login--refused',
  members: 'members--ordinary',
  organization: 'org--ordinary',
  policy: 'policy--owner',
  'revoke-question': 'revoke--origin',
  scopes: 'scopes--ordinary',
  token: 'token--ordinary',
  'token-created': 'token-created--plain',
  'token-new': 'token-new--ordinary',
  tokens: 'tokens--ordinary',
}

/** The main pages, whose pictures the documentation shows. */
export const SHOWN = [
  'approved',
  'audit',
  'consent',
  'device-code',
  'devices',
  'login',
  'members',
  'organization',
  'token',
  'token-created',
  'token-new',
  'tokens',
]

/** Pages with names that are long, or that are markup. */
export const HOSTILE = [
  'account-security--hostile-session',
  'admin-clients--all',
  'admin-users--all',
  'audit--several',
  'consent--network',
  'consent-forbidden--hostile',
  'devices--some',
  'members--owner',
  'revoke--many-addresses',
  'scopes--routes',
  'token--rotated',
  'token-new--many',
  'tokens--several',
]

const FILES = {
  css: ['text/css; charset=utf-8', async () => `${await text('static/app.css')}\n${FONTS}`],
  js: ['text/javascript; charset=utf-8', () => text('static/app.js')],
  svg: ['image/svg+xml', () => text('static/icon.svg')],
  html: ['text/html; charset=utf-8', (name) => readFile(new URL(name, PAGES), 'utf8')],
}

const text = (path) => readFile(new URL(path, ROOT), 'utf8')

/** Serves `/{page}--{state}.html` and the static files that the pages name. */
export async function serveSamples() {
  const server = createServer((request, response) => {
    const name = request.url.split('/').at(-1)
    const [type, read] = FILES[name.split('.').at(-1)] ?? []
    const body = type ? read(name) : Promise.reject(new Error(`nothing at ${request.url}`))
    body.then(
      (content) => response.writeHead(200, { 'content-type': type }).end(content),
      (error) => response.writeHead(404).end(String(error)),
    )
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() }
}

/** Opens a sample at the time when it was rendered, in a browser of its own. */
export async function visit(browser, url, options) {
  const context = await browser.newContext({
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
    locale: 'en-GB',
    ...options,
  })
  const page = await context.newPage()
  await page.clock.setFixedTime(new Date(NOW))
  const response = await page.goto(url)
  if (!response.ok()) throw new Error(`${response.status()} for ${url}`)
  return page
}
