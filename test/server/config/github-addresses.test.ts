import { expect, test } from 'vitest'
import { type ConfigSources, resolveConfig } from '../../../src/server/config/resolve-config.ts'
import { configuredApiUrl, githubAddresses } from '../../../src/server/config/server-options.ts'

const resolve = (sources: Partial<ConfigSources>) => resolveConfig({ flags: {}, env: {}, ...sources })
const github = 'https://acme.ghe.com'
const apiUrl = 'https://ghe.example/api/v3'

test('without a setting, the addresses are those of github.com', () => {
  expect(configuredApiUrl(resolve({}))).toBeUndefined()
  expect(githubAddresses(resolve({}))).toEqual({ github: 'https://github.com', apiUrl: 'https://api.github.com' })
})

test('the address of GitHub leads to that of its API, and back', () => {
  const ofGitHub = resolve({ env: { HOOKSERVER_GITHUB: `${github}/` } })
  expect(githubAddresses(ofGitHub)).toEqual({ github, apiUrl: 'https://api.acme.ghe.com' })
  expect(githubAddresses(resolve({ flags: { apiUrl } }))).toEqual({ github: 'https://ghe.example', apiUrl })
})

test('one source may set both addresses', () => {
  expect(githubAddresses(resolve({ flags: { github, apiUrl } }))).toEqual({ github, apiUrl })
})

test('of two sources, the one that takes precedence sets both addresses', () => {
  const expected = { github, apiUrl: 'https://api.acme.ghe.com' }
  expect(githubAddresses(resolve({ flags: { github }, env: { HOOKSERVER_API_URL: apiUrl } }))).toEqual(expected)
  const module = { name: 'hooks.ts', config: { github } }
  expect(githubAddresses(resolve({ env: { HOOKSERVER_API_URL: apiUrl }, module }))).toEqual({
    github: 'https://ghe.example',
    apiUrl,
  })
})

test.each([
  ['http://ghe.example', 'expected an https URL'],
  ['https://api.acme.ghe.com', "expected the URL of GitHub's pages"],
  ['https://ghe.example/api/v3', "expected the URL of GitHub's pages"],
])('the address %s is rejected', (text, message) => {
  expect(() => resolve({ flags: { github: text } })).toThrow(`--github: ${message}`)
})
