import { describe, expect, test } from 'vitest'
import { apiUrlOf, githubUrlOf } from '../../src/github/addresses.ts'

describe.each([
  ['github.com', 'https://github.com', 'https://api.github.com'],
  ['GHE.com', 'https://acme.ghe.com', 'https://api.acme.ghe.com'],
  ['GitHub Enterprise Server', 'https://ghe.example', 'https://ghe.example/api/v3'],
  ['a port', 'https://ghe.example:8443', 'https://ghe.example:8443/api/v3'],
  ['a host that only resembles GHE.com', 'https://acme.ghe.com.example', 'https://acme.ghe.com.example/api/v3'],
  ['a local GitHub with Enterprise paths', 'http://127.0.0.1:8080', 'http://127.0.0.1:8080/api/v3'],
])('%s', (_, github, apiUrl) => {
  test('has its API at the documented address', () => expect(apiUrlOf(github)).toBe(apiUrl))
  test('has its pages at the address that its API implies', () => expect(githubUrlOf(apiUrl)).toBe(github))
})

test('an API without /api/v3 has its pages at the same address', () => {
  expect(githubUrlOf('http://127.0.0.1:8080')).toBe('http://127.0.0.1:8080')
})
