import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { resolveConfig } from '../../src/server/config/resolve-config.ts'
import { githubAccess } from '../../src/server/github.ts'
import { resolveOptions } from '../../src/settings.ts'

beforeEach(() => {
  vi.stubEnv('GITHUB_CLIENT_ID', 'Iv1.1')
  vi.stubEnv('GITHUB_CLIENT_SECRET', 'a secret of the App')
})
afterEach(() => void vi.unstubAllEnvs())

function accessWith(flags: Record<string, string>, apiUrl?: string) {
  const config = resolveConfig({ flags, env: {} })
  return githubAccess({ config, settings: resolveOptions({ secret: 's', apiUrl }) })
}

test('the login with GitHub is off by default, and on with one of its settings', () => {
  expect(accessWith({})).toBeUndefined()
  const app = { clientId: 'Iv1.1', clientSecret: 'a secret of the App' }
  expect(accessWith({ adminGithubViewers: 'acme' })).toEqual({
    ...{ operators: [], viewers: [{ organization: 'acme' }] },
    app: { ...app, github: 'https://github.com', apiUrl: 'https://api.github.com' },
  })
  expect(accessWith({ adminGithubOperators: 'acme/ops' }, 'https://ghe.example/api/v3')?.app).toEqual({
    ...app,
    ...{ github: 'https://ghe.example', apiUrl: 'https://ghe.example/api/v3' },
  })
})

test.each(['GITHUB_CLIENT_ID', 'GITHUB_CLIENT_SECRET'])('the login with GitHub needs %s', (name) => {
  vi.stubEnv(name, '')
  const cure = 'set GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET, which "npx hookserver app create" writes to .env'
  expect(() => accessWith({ adminGithubOperators: 'acme' })).toThrow(
    `--admin-github-operators: users log in to a GitHub App: ${cure}`,
  )
})
