import { afterEach, expect, test, vi } from 'vitest'
import { exec } from '../../src/exec/index.ts'
import { deliveryOf } from './fixtures.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

/** The whole environment of a program. */
async function environmentOf(
  { run, written }: ReturnType<typeof deliveryOf>,
  env?: Record<string, string | undefined>,
) {
  await run(exec('env', { env }))
  return Object.fromEntries(written().map((line) => line.split(/=(.*)/s).slice(0, 2))) as Record<string, string>
}

const inherited = { PATH: process.env.PATH, HOME: '/home/of-tests', LANG: 'C.UTF-8' }
const stub = () => {
  for (const [name, value] of Object.entries(inherited)) vi.stubEnv(name, value)
}

test('the environment has only PATH, HOME, LANG, the delivery’s variables and the option env', async () => {
  stub()
  vi.stubEnv('GITHUB_WEBHOOKS_KEY', 'the secret')
  vi.stubEnv('NODE_OPTIONS', '')
  expect(await environmentOf(deliveryOf({ action: 'opened' }), { NODE_ENV: 'production' })).toEqual({
    ...inherited,
    NODE_ENV: 'production',
    HOOKSERVER_EVENT: 'push',
    HOOKSERVER_ACTION: 'opened',
    HOOKSERVER_REPOSITORY: 'acme/site',
    HOOKSERVER_REF: 'refs/heads/main',
    HOOKSERVER_SHA: '0123456789abcdef0123456789abcdef01234567',
    HOOKSERVER_SENDER: 'ada',
    HOOKSERVER_GUID: 'a-guid',
  })
})

test('the environment lacks unknown properties of the delivery', async () => {
  stub()
  vi.stubEnv('LANG', undefined)
  const nothing = { ref: undefined, after: undefined, repository: undefined, sender: undefined }
  expect(await environmentOf(deliveryOf(nothing, 'ping'), { HOME: undefined })).toEqual({
    ...{ PATH: inherited.PATH, HOME: inherited.HOME },
    ...{ HOOKSERVER_EVENT: 'ping', HOOKSERVER_GUID: 'a-guid' },
  })
})

test('the environment lacks values that it cannot hold, and the program runs', async () => {
  const delivery = deliveryOf({
    action: 'a\0b',
    repository: { full_name: 'x'.repeat(200_000) },
    sender: { login: `${'y'.repeat(1024)}` },
    ref: `refs/heads/${'z'.repeat(200_000)}`,
    after: 'not a commit\0',
  })
  const known = Object.keys(await environmentOf(delivery)).filter((name) => name.startsWith('HOOKSERVER_'))
  expect(known.toSorted()).toEqual(['HOOKSERVER_EVENT', 'HOOKSERVER_GUID', 'HOOKSERVER_SENDER'])
})

test('the option env overrides this process, and the delivery overrides the option env', async () => {
  const given = { HOME: '/srv', HOOKSERVER_REF: 'mine', HOOKSERVER_ACTION: 'mine' }
  expect(await environmentOf(deliveryOf(), given)).toMatchObject({
    ...{ HOME: '/srv', HOOKSERVER_REF: 'refs/heads/main', HOOKSERVER_ACTION: 'mine' },
  })
})
