// A real OpenID provider, whose people sign in by typing their name.

import { once } from 'node:events'
import Provider from 'oidc-provider'

export const REGISTRATION = { client_id: 'doorcode', client_secret: 'of-the-registration-of-doorcode' }

/** The settings of a server that uses a provider at this address. */
export const settingsFor = (issuer) => ({
  DOORCODE__SIGN_IN__OIDC: `[{ id = "acme", name = "Acme", issuer = "${issuer}", client_id = "${REGISTRATION.client_id}", client_secret = "${REGISTRATION.client_secret}" }]`,
})

/** Starts a provider at a loopback address, for the server with this URL. */
export async function startProvider(issuer, server) {
  const provider = new Provider(issuer, {
    clients: [{ ...REGISTRATION, redirect_uris: [`${server}/login/with/acme/callback`] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    cookies: { keys: ['of the test'] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@acme.example`, email_verified: true, name: 'Grace Hopper' }),
    }),
  })
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
