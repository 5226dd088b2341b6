import { beforeEach, describe, expect, test, vi } from 'vitest'
import { Hooks } from '../../../src/hooks.ts'
import { resolveConfig } from '../../../src/server/config/resolve-config.ts'
import { findServerSecret, findSigningSecret, serverSecret } from '../../../src/server/config/server-secret.ts'

/** The secret that the server uses. @param ofModule Creates the `Hooks` of the module. */
function used(ofModule?: () => Hooks, flags: Readonly<Record<string, string>> = {}) {
  const found = findServerSecret(resolveConfig({ flags, env: {} }))
  return serverSecret(found, ofModule?.())
}

const withSecret = () => new Hooks({ secret: 'that of the module' })
const withoutSecret = () => new Hooks()

beforeEach(() => {
  for (const name of ['GITHUB_WEBHOOKS_KEY', 'SECRET_KEY', 'WEBHOOK_SECRET']) vi.stubEnv(name, '')
  return () => vi.unstubAllEnvs()
})

describe('the secret of the module', () => {
  test('takes precedence over SECRET_KEY', () => {
    vi.stubEnv('SECRET_KEY', 'that of the environment')
    expect(used(withSecret)).toBeUndefined()
    const found = { value: 'that of the environment', source: 'the environment variable SECRET_KEY' }
    expect(used(withoutSecret)).toMatchObject(found)
    expect(used()).toMatchObject(found)
  })

  test.each(['that of the module', () => 'that of the module'])('takes precedence over that of --dev: %s', (secret) => {
    expect(used(() => new Hooks({ secret }), { dev: 'true' })).toBeUndefined()
  })

  test('does not take precedence over GITHUB_WEBHOOKS_KEY', () => {
    vi.stubEnv('GITHUB_WEBHOOKS_KEY', 'that of the environment')
    expect(used(withSecret)?.value).toBe('that of the environment')
  })
})

test('names WEBHOOK_SECRET if the module has its secret from this variable', () => {
  vi.stubEnv('SECRET_KEY', 'that of the environment')
  vi.stubEnv('WEBHOOK_SECRET', 'that of Probot')
  const ofModule = (secret: string | string[]) => used(() => new Hooks({ secret }))
  expect(ofModule('that of Probot')).toEqual({
    value: 'that of Probot',
    source: 'the environment variable WEBHOOK_SECRET',
  })
  expect(ofModule(['that of Probot', 'old'])).toBeUndefined()
})

test.each(['GITHUB_WEBHOOKS_KEY', 'SECRET_KEY'])('rejects a value of %s that is only white space', (name) => {
  vi.stubEnv(name, ' \t')
  const problem = `The environment variable ${name} contains only white space: set it to the secret of the webhook`
  for (const find of [() => used(withSecret), findSigningSecret]) expect(find).toThrow(problem)
})

test.each([
  ['gives none', withoutSecret],
  ['passes on the variable', () => new Hooks({ secret: [process.env.GITHUB_WEBHOOKS_KEY ?? '', 'old'] })],
])('--dev generates a secret for a module that %s', (_name, ofModule) => {
  expect(used(ofModule, { dev: 'true' })).toMatchObject({ source: '.hookserver/secret' })
})
