// A mail server that keeps the messages it receives.

import { once } from 'node:events'
import { createServer } from 'node:net'

const ANSWERS = { EHLO: '250-mailbox\r\n250 8BITMIME', DATA: '354 go ahead', QUIT: '221 bye' }
const END = '\r\n.\r\n'

/** The text of a message, whose encoding is quoted-printable or none. */
function read(data) {
  const [head, ...body] = data.split('\r\n\r\n')
  const decoded = body
    .join('\n\n')
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)))
  return { to: head.match(/^To: (.*)$/m)?.[1].trim(), subject: head.match(/^Subject: (.*)$/m)?.[1].trim(), text: decoded }
}

class Mailbox {
  #letters = []
  #arrivals = []
  #server

  async start() {
    this.#server = createServer((socket) => this.#serve(socket)).listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** The settings of a server that sends its mail here. */
  get settings() {
    return {
      DOORCODE__MAIL__SMTP_URL: `smtp://127.0.0.1:${this.#server.address().port}`,
      DOORCODE__MAIL__FROM: 'login@example.com',
    }
  }

  /** The next message, which may not have arrived yet. */
  async next() {
    return this.#letters.shift() ?? new Promise((resolve) => this.#arrivals.push(resolve))
  }

  stop() {
    this.#server.close()
  }

  #take(letter) {
    const waiting = this.#arrivals.shift()
    if (waiting) waiting(letter)
    else this.#letters.push(letter)
  }

  #serve(socket) {
    let received = ''
    let isData = false
    socket.on('error', () => {}) // The other side may hang up.
    socket.write('220 mailbox\r\n')
    socket.setEncoding('utf8').on('data', (text) => {
      received += text
      for (;;) {
        const end = received.indexOf(isData ? END : '\r\n')
        if (end < 0) return
        const piece = received.slice(0, end)
        received = received.slice(end + (isData ? END.length : 2))
        const verb = piece.split(' ')[0].toUpperCase()
        if (isData) this.#take(read(piece))
        socket.write(`${(!isData && ANSWERS[verb]) || '250 ok'}\r\n`)
        isData = !isData && verb === 'DATA'
      }
    })
  }
}

/** Starts a mail server. */
export async function startMailbox() {
  const mailbox = new Mailbox()
  await mailbox.start()
  return mailbox
}
