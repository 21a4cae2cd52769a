// Programs that a test runs, in the foreground and beside it.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

const START_LIMIT_MS = 30_000
const STOP_LIMIT_MS = 15_000
const LOOK_EVERY_MS = 10

/** A port of the loopback address on which nobody listens. */
export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}

/** Runs a program to its end; its standard output, or an error that holds all it said. */
export function run(program, args, { input = '', ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stdout}${stderr}`))
      else resolve(stdout)
    })
    child.stdin.on('error', () => {}) // A program that reads no input may end before it is written.
    child.stdin.end(input)
  })
}

/** A program that runs beside the test until it is stopped. */
export class Background {
  #child
  #end
  log = ''

  constructor(program, args, options) {
    this.#child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child.on('error', (error) => (this.log += error.message)) // It could not even be started.
    this.#end = new Promise((resolve) => this.#child.on('close', (code, signal) => resolve({ code, signal })))
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (this.log += text))
    }
  }

  /** Waits until `isUp` says so. */
  async ready(isUp) {
    const deadline = Date.now() + START_LIMIT_MS
    while (!(await isUp())) {
      const hasEnded = this.#child.exitCode !== null
      if (hasEnded || Date.now() > deadline) {
        this.#child.kill('SIGKILL')
        throw new Error(`${this.#child.spawnfile} ${hasEnded ? 'ended' : 'is not ready'}:\n${this.log}`)
      }
      await pause(LOOK_EVERY_MS)
    }
  }

  /** Asks the program to end, and holds it to a clean end. */
  async stop() {
    this.#child.kill('SIGTERM')
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_LIMIT_MS)
    const { code, signal } = await this.#end
    clearTimeout(killer)
    if (code !== 0) throw new Error(`${this.#child.spawnfile} ended with ${signal ?? code}:\n${this.log}`)
  }
}
