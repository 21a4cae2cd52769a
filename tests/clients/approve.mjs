// Approves a code as a person would, with a browser that knows cookies, links and forms:
//
//   node approve.mjs USER_CODE
//
// `ISSUER` is the server and `APPROVER` the account, as with-server.mjs sets them.

import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'

/** The smallest browser that these pages need. */
class Browser {
  #origin
  #cookies = new Map()
  page = ''

  constructor(origin) {
    this.#origin = origin
  }

  async open(path, form) {
    const response = await fetch(new URL(path, this.#origin), {
      method: form ? 'POST' : 'GET',
      body: form,
      redirect: 'manual',
      headers: {
        Cookie: [...this.#cookies].map((pair) => pair.join('=')).join('; '),
        ...(form && { Origin: this.#origin }),
      },
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = cookie.match(/^([^=]+)=([^;]*)/)
      if (value) this.#cookies.set(name, value)
      else this.#cookies.delete(name)
    }
    this.page = await response.text()
    if (response.status === 303) return this.open(response.headers.get('location'))
    assert.equal(response.status, 200, `${path}: ${this.page}`)
  }

  /** Fills in the one form that posts to `path` and sends it. */
  async submit(path, fill) {
    const forms = [...this.page.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)]
    const [, , body] = forms.find(([, tag]) => attribute(tag, 'action') === path) ?? []
    assert.ok(body, `no form posts to ${path}:\n${this.page}`)
    const form = new URLSearchParams()
    for (const [input] of body.matchAll(/<input\b[^>]*>/g)) {
      const isSent = { hidden: true, checkbox: /\schecked\b/.test(input) }[attribute(input, 'type')]
      if (isSent) form.append(attribute(input, 'name'), attribute(input, 'value'))
    }
    for (const [name, value] of Object.entries(fill)) form.set(name, value)
    await this.open(path, form)
  }
}

function attribute(tag, name) {
  const entities = { amp: '&', lt: '<', gt: '>', quot: '"', '#34': '"', '#38': '&', '#39': "'", '#60': '<', '#62': '>' }
  const value = tag.match(new RegExp(`\\s${name}="([^"]*)"`))?.[1] ?? ''
  return value.replace(/&(\w+|#\d+);/g, (entity, key) => entities[key] ?? entity)
}

/** Signs in, types the code and presses Approve. */
export async function approve(userCode) {
  const { email, password } = JSON.parse(process.env.APPROVER)
  const browser = new Browser(process.env.ISSUER)
  await browser.open('/login')
  await browser.submit('/login', { email, password })
  await browser.open('/device')
  await browser.submit('/device', { user_code: userCode })
  await browser.submit('/device/decide', { decision: 'approve' })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await approve(process.argv[2])
