// A real OpenID provider, whose people sign in by typing their name.

import { once } from 'node:events'
import Provider from 'oidc-provider'

export const REGISTRATION = { client_id: 'doorcode', client_secret: 'of-the-registration-of-doorcode' }

const table = (id, name, issuer) =>
  `{ id = "${id}", name = "${name}", issuer = "${issuer}", client_id = "${REGISTRATION.client_id}", client_secret = "${REGISTRATION.client_secret}" }`

/** The settings of a server that uses a provider at this address, and one at another address if it is named. */
export const settingsFor = (issuer, evil) => ({
  DOORCODE__SIGN_IN__OIDC: `[${[table('acme', 'Acme', issuer), ...(evil ? [table('evil', 'Evil', evil)] : [])].join(', ')}]`,
})

/**
 * Starts a provider at a loopback address, for the server with this URL. `callbacks` are the ids of the
 * providers whose callbacks are registered; `attack` is middleware of one that attacks.
 */
export async function startProvider(issuer, server, { callbacks = ['acme'], attack } = {}) {
  const redirect_uris = callbacks.map((id) => `${server}/login/with/${id}/callback`)
  const provider = new Provider(issuer, {
    clients: [{ ...REGISTRATION, redirect_uris }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    cookies: { keys: ['of the test'] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@acme.example`, email_verified: true, name: 'Grace Hopper' }),
    }),
  })
  if (attack) provider.use(attack)
  const listener = provider.listen(Number(new URL(issuer).port), '127.0.0.1')
  await once(listener, 'listening')
  return {
    async stop() {
      listener.closeAllConnections()
      listener.close()
      await once(listener, 'close')
    },
  }
}
