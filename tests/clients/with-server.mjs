// Runs a command beside a server: node with-server.mjs COMMAND...
//
// The command finds in its environment what somebody who integrates a client would be told:
// the server's address, a confidential client's id and secret, the operator token, and how a
// person approves.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { ADA, startServer } from '../e2e/harness/server.mjs'
import { fileURLToPath } from 'node:url'

const RESOURCE_SERVER = 'rs'

const server = await startServer({ settings: { DOORCODE__DEVICE__INTERVAL: '1s' } })
try {
  await server.addUser(ADA)
  const registration = ['--id', RESOURCE_SERVER, '--name', 'Resource server', '--confidential']
  const said = await server.run(['client', 'add', ...registration])
  const [command, ...args] = process.argv.slice(2)
  const child = spawn(command, args, {
    stdio: 'inherit',
    env: {
      ...process.env,
      ISSUER: server.url,
      RESOURCE_SERVER,
      RESOURCE_SERVER_SECRET: secretIn(said),
      OPERATOR_TOKEN: await server.operatorToken(),
      APPROVER: JSON.stringify(ADA),
      APPROVE: fileURLToPath(new URL('approve.mjs', import.meta.url)),
    },
  })
  const [code] = await once(child, 'close')
  process.exitCode = code ?? 1
} finally {
  await server.stop()
}

/** The secret is the one long word among what the registration prints. */
function secretIn(text) {
  const words = text.match(/[A-Za-z0-9_-]{32,}/g) ?? []
  if (words.length !== 1) throw new Error(`Which of these is the secret?\n${text}`)
  return words[0]
}
