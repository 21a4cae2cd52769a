// The nginx of examples/ before a small API that stands in for a company's own.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './process.mjs'
import { startNginx } from './proxy.mjs'

const example = (name) => fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url))

/** The configuration of Doorcode that the proxies of examples/ go with. */
export const EXAMPLE_CONFIG = example('doorcode.toml')

/** An API that lets everybody in and answers what it was asked. */
async function startApi() {
  const api = createServer(async (request, response) => {
    let body = ''
    for await (const part of request.setEncoding('utf8')) body += part
    const { method, url, rawHeaders } = request
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ method, url, rawHeaders, body }))
  })
  api.listen(0, '127.0.0.1')
  await once(api, 'listening')
  return api
}

/** Pairs of names and values, the names in small letters. */
const pairs = (flat) =>
  flat.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), flat[at + 1]]] : []))

/** Everything that the other side says until it hangs up. */
async function exchange(port, request) {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  socket.write(request) // Not `end`: nginx takes it for a client that has gone.
  let answer = ''
  for await (const part of socket) answer += part
  return answer
}

class Example {
  #dir
  #api
  #nginx
  #port

  async start(doorcode) {
    this.#dir = await mkdtemp(join(tmpdir(), 'doorcode-example-'))
    this.#api = await startApi()
    this.#port = await freePort()
    let text = await readFile(example('nginx.conf'), 'utf8')
    const addresses = [
      ['server 127.0.0.1:8080;', `server ${new URL(doorcode).host};`],
      ['server 127.0.0.1:9000;', `server 127.0.0.1:${this.#api.address().port};`],
      ['listen 127.0.0.1:8000;', `listen 127.0.0.1:${this.#port};`],
    ]
    for (const [written, own] of addresses) {
      assert.equal(text.split(written).length, 2, `examples/nginx.conf: ${written}`)
      text = text.replace(written, own)
    }
    this.#nginx = await startNginx(this.#dir, this.#port, text)
  }

  async stop() {
    this.#api?.close()
    this.#api?.closeAllConnections()
    await this.#nginx?.stop()
    await rm(this.#dir, { recursive: true, force: true })
  }

  /**
   * Asks exactly as it is written, which no HTTP client would do with a path such as `/../`.
   * Answers the status, the headers, and what the API saw if it was asked at all.
   */
  async ask(method, target, { token, headers = [], body = '' } = {}) {
    const fields = [
      ['Host', 'api.example.com'],
      ['Connection', 'close'],
      ...(token ? [['Authorization', `Bearer ${token}`]] : []),
      ...(body ? [['Content-Length', Buffer.byteLength(body)]] : []),
      ...headers,
    ]
    const head = [`${method} ${target} HTTP/1.1`, ...fields.map((field) => field.join(': '))]
    const answer = await exchange(this.#port, `${head.join('\r\n')}\r\n\r\n${body}`)
    const [, status] = answer.match(/^HTTP\/1\.1 (\d{3}) /) ?? assert.fail(`no answer: ${answer}`)
    const [lines, content] = [answer.slice(0, answer.indexOf('\r\n\r\n')), answer.slice(answer.indexOf('\r\n\r\n') + 4)]
    const challenges = lines.split('\r\n').filter((line) => /^www-authenticate:/i.test(line))
    let seen = null
    if (status === '200' && method !== 'HEAD') {
      seen = JSON.parse(content.slice(content.indexOf('{'), content.lastIndexOf('}') + 1))
      seen.headers = pairs(seen.rawHeaders)
    }
    return {
      status: Number(status),
      fields: lines.split('\r\n').slice(1).map((line) => line.toLowerCase()),
      content,
      challenges: challenges.map((line) => line.slice(line.indexOf(':') + 1).trim()),
      seen,
    }
  }
}

/** Starts the nginx of examples/ and its API, which ask this Doorcode. */
export async function startExample(doorcode) {
  const started = new Example()
  try {
    await started.start(doorcode)
  } catch (error) {
    await started.stop().catch(() => {}) // What kept it from starting says more.
    throw error
  }
  return started
}
