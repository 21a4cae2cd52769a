// Signing in with an identity provider, which is a real one.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { flow, once, submit } from './harness/browser.mjs'
import { me } from './harness/device.mjs'
import { BOB } from './harness/server.mjs'
import { Background, freePort, run } from './harness/process.mjs'
import { settingsFor, startProvider } from './harness/provider.mjs'
import { button } from './harness/token.mjs'

const PROGRAM = process.env.DOORCODE_BIN ?? fileURLToPath(new URL('../../target/debug/doorcode', import.meta.url))
const ISSUER = `http://127.0.0.1:${await freePort()}`
const FONTS = 'https://fonts.googleapis.com' // Of the pages of the provider.
const WITH_PROVIDER = { settings: settingsFor(ISSUER), elsewhere: [ISSUER, FONTS] }
const SECONDS = 10

const EVIL = `http://127.0.0.1:${await freePort()}`
const WITH_TWO = { settings: settingsFor(ISSUER, EVIL), elsewhere: [ISSUER, EVIL, FONTS] }

const EXAMPLE = fileURLToPath(new URL('../../examples/hand-off/page.mjs', import.meta.url))
const PAGE = `http://127.0.0.1:${await freePort()}`
const KEY = 'of the example, with 32 characters or more'
const WITH_HAND_OFF = {
  people: [{ ...BOB, role: 'owner' }],
  elsewhere: [PAGE],
  settings: {
    DOORCODE__SIGN_IN__HAND_OFF: `[{ id = "shop", name = "Acme Shop", hand_off_url = "${PAGE}/doorcode", algorithm = "HS256", key = "${KEY}" }]`,
  },
}

async function withProvider(world, walk) {
  const provider = await startProvider(ISSUER, world.server.url)
  try {
    await walk()
  } finally {
    await provider.stop()
  }
}

/** A browser that stays on this machine. */
async function visitor(world) {
  const page = await world.visitor()
  await page.route(`${FONTS}/**`, (route) => route.abort())
  return page
}

/** Signs in at the provider: its own two pages. */
async function signInThere(page) {
  await page.locator('[name=login]').fill('grace')
  await page.locator('[name=password]').fill('anything')
  await page.getByRole('button', { name: 'Sign-in' }).click()
  await page.getByRole('button', { name: 'Continue' }).click()
}

once('from doorcode login to a token, without a password here', WITH_PROVIDER, (world) =>
  withProvider(world, async () => {
    const home = await mkdtemp(join(tmpdir(), 'doorcode-home-'))
    const env = { PATH: process.env.PATH, HOME: home, DOORCODE_HOST: world.server.url }
    const began = Date.now()
    const login = new Background(PROGRAM, ['login', '--no-browser'], { env })
    try {
      await login.ready(() => /\/device\?user_code=\S+/.test(login.log))
      const page = await visitor(world)
      let clicks = 0
      const click = (control) => {
        clicks++
        return control.click()
      }
      await page.goto(login.log.match(/http\S+\/device\?user_code=\S+/)[0])
      await click(page.getByRole('link', { name: 'Sign in with Acme' }))
      await signInThere(page)
      await page.waitForURL(/\/device/)
      await click(page.getByLabel('I started this sign-in'))
      await click(button(page, 'Approve'))
      await page.getByRole('heading', { level: 1 }).waitFor()
      await login.stop()
      const seconds = (Date.now() - began) / 1000
      console.log(`doorcode login with a provider: ${clicks} clicks here, 2 there, ${seconds.toFixed(1)} s`)
      assert.equal(clicks, 3)
      assert.ok(seconds < SECONDS, `${seconds} s`)

      const token = (await run(PROGRAM, ['token', 'print'], { env })).trim()
      const { status, body } = await me(world.server, token)
      assert.equal(status, 200)
      assert.equal(body.user.email, 'grace@acme.example')
    } finally {
      await rm(home, { recursive: true, force: true })
    }
  }),
)

flow('a user of the provider signs in, sees the provider, and signs in again', WITH_PROVIDER, (world) =>
  withProvider(world, async () => {
    const page = await visitor(world)
    await page.goto('/account/security')
    await world.inspect(page)
    await page.getByRole('link', { name: 'Sign in with Acme' }).click()
    await signInThere(page)
    await page.waitForURL('/account/security')
    await page.getByText('grace@acme.example').first().waitFor()
    await page.getByRole('heading', { name: 'Sign-in providers' }).waitFor()
    await world.inspect(page)
    await submit(page, button(page, 'Disconnect'))
    await page.getByText('This is your only way to sign in.').waitFor()
  }),
)

// Evil sends the browser to Acme in its own name: the user proves who they are to Acme, and the answer
// must reach neither Evil nor the session.
for (const [callback, said] of [
  ['evil', 'The provider did not answer as expected.'],
  ['acme', 'That sign-in took too long, or it began in another browser.'],
]) {
  once(`a provider mixes its answers up with those of another, at the callback of ${callback}`, WITH_TWO, async (world) => {
    const seen = []
    const attack = (context, next) => {
      seen.push(context.path)
      if (context.path !== '/auth') return next()
      const target = new URL(`${ISSUER}/auth`)
      target.search = context.search
      target.searchParams.set('redirect_uri', `${world.server.url}/login/with/${callback}/callback`)
      context.redirect(target.href)
    }
    const acme = await startProvider(ISSUER, world.server.url, { callbacks: ['acme', 'evil'] })
    const evil = await startProvider(EVIL, world.server.url, { callbacks: ['evil'], attack })
    try {
      const page = await visitor(world)
      await page.goto('/account')
      await page.getByRole('link', { name: 'Sign in with Evil' }).click()
      await signInThere(page)
      await page.waitForURL((url) => url.pathname === '/login')
      await page.getByText(said).waitFor()
      assert.ok(seen.includes('/auth'), 'the attack took place')
      assert.ok(!seen.includes('/token'), 'Evil got the code of Acme')
      await page.goto('/account')
      assert.equal(new URL(page.url()).pathname, '/login', 'the attack signed the browser in')
    } finally {
      await evil.stop()
      await acme.stop()
    }
  })
}

once('the example page signs its user in', WITH_HAND_OFF, async (world) => {
  const env = { PAGE_URL: `${PAGE}/doorcode`, DOORCODE_URL: world.server.url, HAND_OFF_KEY: KEY, PORT: new URL(PAGE).port }
  const example = spawn(process.execPath, [EXAMPLE], { env, stdio: 'inherit' })
  try {
    const page = await world.visitor()
    await page.goto('/account')
    const start = page.getByRole('link', { name: 'Sign in with Acme Shop' })
    const refused = await eventually(() => fetch(`${PAGE}/doorcode?request=a.b.c`))
    assert.equal(refused.status, 400)
    await start.click()
    await page.waitForURL('/account')
    await page.getByText('ada@example.com').first().waitFor()
  } finally {
    example.kill()
  }
})

/** What a server answers once it listens. */
async function eventually(ask) {
  for (let tries = 0; ; tries++) {
    try {
      return await ask()
    } catch (error) {
      if (tries === 500) throw error
      await pause(10)
    }
  }
}
