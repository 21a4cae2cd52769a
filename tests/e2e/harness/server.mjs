// A Doorcode server of a test's own: the compiled program, a fresh folder, a free port.

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Background, freePort, run } from './process.mjs'
import { startProxy } from './proxy.mjs'

const PROGRAM =
  process.env.DOORCODE_BIN ?? fileURLToPath(new URL('../../../target/debug/doorcode', import.meta.url))

export const ADA = {
  email: 'ada@example.com',
  name: 'Ada Lovelace',
  password: 'violet submarine parade',
  org: 'Acme',
  role: 'owner',
}
export const BOB = {
  email: 'bob@example.com',
  name: 'Bob Noyce',
  password: 'copper lantern sandwich',
  org: 'Acme',
  role: 'member',
}

class Server {
  #dir
  #env
  #program
  #proxy

  /** Where the server itself listens. */
  address
  /** Where people and programs are told to find it. */
  url

  async start({ settings, behindProxy, host }) {
    this.#dir = await mkdtemp(join(tmpdir(), 'doorcode-e2e-'))
    const port = await freePort()
    this.address = `http://127.0.0.1:${port}`
    if (behindProxy) this.#proxy = await startProxy(this.#dir, this.address)
    this.url = this.#proxy?.url ?? `http://${host}:${port}`
    // Nothing of the tester's own environment may reach the server.
    this.#env = {
      PATH: process.env.PATH,
      HOME: this.#dir,
      DOORCODE__SERVER__LISTEN: `127.0.0.1:${port}`,
      DOORCODE__SERVER__PUBLIC_URL: this.url,
      DOORCODE__SERVER__DRAIN_FOR: '0s',
      DOORCODE__SERVER__SECRET_KEY_FILE: join(this.#dir, 'secret_key'),
      DOORCODE__AUDIT__SIGNING_KEY_FILE: join(this.#dir, 'audit_key'),
      DOORCODE__AUDIT__CHECKPOINT_TO: join(this.#dir, 'audit_checkpoints'),
      DOORCODE__DATABASE__URL: `sqlite:${this.#database}`,
      DOORCODE__OPERATOR__TOKEN_FILE: join(this.#dir, 'operator_token'),
      ...settings,
    }
    this.#program = new Background(PROGRAM, ['serve'], { cwd: this.#dir, env: this.#env })
    await this.#program.ready(() => fetch(`${this.address}/readyz`).then((answer) => answer.ok, () => false))
  }

  get #database() {
    return join(this.#dir, 'doorcode.db')
  }

  async stop() {
    const ends = await Promise.allSettled([this.#proxy?.stop(), this.#program?.stop()])
    await rm(this.#dir, { recursive: true, force: true })
    for (const { reason } of ends) if (reason) throw reason
  }

  /** Runs a command of the program beside the server. */
  run(args, input) {
    return run(PROGRAM, args, { cwd: this.#dir, env: this.#env, input })
  }

  async addUser({ email, name, password, org, role }) {
    const args = ['--email', email, '--name', name, '--org', org, '--role', role, '--password-stdin']
    await this.run(['user', 'add', ...args], password)
  }

  /** The operator token, which the first start makes. */
  async operatorToken() {
    return (await readFile(this.#env.DOORCODE__OPERATOR__TOKEN_FILE, 'utf8')).trim()
  }

  /** The one-time link of the first start. */
  get setupLink() {
    const { log } = this.#program
    const link = log.match(/https?:\/\/\S+\/setup\?[^\s"']+/)
    if (!link) throw new Error(`The first start printed no setup link:\n${log}`)
    return link[0]
  }

  /** Changes the database behind the server's back, which is how a test moves time. */
  sql(statement) {
    const script = `
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=10)
with database:
    changed = database.execute(sys.argv[2]).rowcount
sys.exit(0 if changed > 0 else "no row was changed")
`
    return run('python3', ['-c', script, this.#database, statement])
  }
}

/**
 * Starts a server. `settings` are environment variables of its configuration; `behindProxy` puts
 * it behind a proxy that speaks TLS. `host` is the one of its public URL.
 */
export async function startServer({ settings = {}, behindProxy = false, host = '127.0.0.1' } = {}) {
  const server = new Server()
  try {
    await server.start({ settings, behindProxy, host })
  } catch (error) {
    await server.stop().catch(() => {}) // What kept it from starting says more.
    throw error
  }
  return server
}
