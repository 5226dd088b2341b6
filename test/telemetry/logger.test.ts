import { format } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { consoleLogger, isSecretName, loggerFrom } from '../../src/telemetry/logger.ts'
import { anyString } from '../any-string.ts'

/** The text that the console prints for these fields and this message. */
function printed(fields: object, message: string): string {
  const error = vi.spyOn(console, 'error').mockImplementation(() => {})
  consoleLogger.error(fields, message)
  const text = format(...(error.mock.lastCall ?? []))
  error.mockRestore()
  return text
}

describe('the default logger', () => {
  test('prints message and fields', () => {
    expect(printed({}, '100 %s')).toBe('hookserver: 100 %s')
    expect(printed({ guid: 'g' }, 'Handler failed')).toBe("hookserver: Handler failed { guid: 'g' }")
  })

  test('escapes the text of errors and headers', () => {
    const cause = new Error('beneath\u009b2J')
    const err = new Error('red \u001b[31m\u202e\u2028', { cause })
    const text = printed({ err, event: 'push\u009b' }, 'Handler\n\u202ed failed')
    expect(text).toContain('hookserver: Handler\\u000a\\u202ed failed')
    expect(text).toContain('Error: red \\u001b[31m\\u202e\\u2028\n')
    expect(text).toContain('Error: beneath\\u009b2J\n')
    expect(text).toMatch(/\n +at /)
  })

  test('truncates long texts, and so an error and its causes', () => {
    const cause = new Error('y'.repeat(1_000_000))
    const text = printed({ err: new Error('x'.repeat(1_000_000), { cause }), handler: 'deploy' }, 'failed')
    expect(text.length).toBeLessThan(17_000)
    expect(text).toMatch(/^hookserver: failed \{\n {2}err: Error: x+…,\n {2}handler: 'deploy'\n\}$/)
  })

  test('prints no unsafe character', () => {
    const unit = fc.constantFrom(...'\u0000\t\n\r\u001b\u007f\u009b\u061c\u200e\u202e\u2028\u2069ab[m"\\%s\ud800')
    const text = fc.oneof(fc.string({ unit }), anyString())
    fc.assert(
      fc.property(text, text, text, (message, value, other) => {
        const fields = { value, err: new Error(value, { cause: new Error(other) }), of: { [other]: [value] } }
        expect(printed(fields, message)).not.toMatch(/(?![\t\n])[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u)
      }),
    )
  })
})

test.each(['debug', 'info', 'warn', 'error'] as const)('logger: console prints and escapes the level %s', (level) => {
  const method = vi.spyOn(console, level).mockImplementation(() => {})
  loggerFrom(console)[level]({ stream: 'stdout' }, 'clear \u001b[2J\u009b2J')
  const text = format(...(method.mock.lastCall ?? []))
  method.mockRestore()
  expect(text).toBe("hookserver: clear \\u001b[2J\\u009b2J { stream: 'stdout' }")
})

describe('the name of a field or header', () => {
  test.each([
    ...[
      'secret',
      'clientSecret',
      'client_secret',
      'webhook_secret',
      'token',
      'adminToken',
      'access_token',
      'ACCESS_TOKEN',
    ],
    ...['password', 'apiKey', 'api_key', 'private_key', 'privateKey', 'secretAccessKey', 'credentials', 'set-cookie'],
    ...['x-hub-signature', 'x-hub-signature-256', 'x-api-key', 'x-vercel-oidc-token', 'x-vercel-proxy-signature'],
    ...['x-serverless-authorization', 'cf-access-jwt-assertion', 'x-amzn-oidc-accesstoken', 'x-goog-iap-jwt-assertion'],
    ...['x-amzn-oidc-data', 'x-vercel-sc-headers', 'x-functions-key', 'cf-access-client-secret'],
    ...['x-auth-key', 'x-origin-verify'],
  ])('is that of a secret: %s', (name) => expect(isSecretName(name)).toBe(true))

  test.each([
    ...[
      'secretFrom',
      'secretId',
      'secretIndex',
      'tokenFile',
      'maxTokens',
      'key',
      'orderKey',
      'idempotency-key',
      'author',
    ],
    ...['x-github-event', 'x-github-delivery', 'x-github-hook-id', 'x-github-hook-installation-target-type'],
    ...['x-github-enterprise-version', 'user-agent', 'content-type', 'x-forwarded-for', 'x-request-id', 'traceparent'],
  ])('is not that of a secret: %s', (name) => expect(isSecretName(name)).toBe(false))
})
