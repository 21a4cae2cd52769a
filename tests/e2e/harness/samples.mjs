// The samples of the templates' unit tests, in a browser. `tests/run` writes them to target/pages.

import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'

const ROOT = new URL('../../../', import.meta.url)
const PAGES = new URL('target/pages/', ROOT)
/** When the samples were rendered: the script of a page must not move their relative times. */
export const NOW = '2026-11-22T01:43:10Z'
/** Fonts differ from machine to machine, and pictures must not. */
const FONTS = ':root { --sans: "DejaVu Sans"; --mono: "DejaVu Sans Mono" }'

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
