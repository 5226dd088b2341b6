import { describe, expect, test } from 'vitest'
import { normalizeError } from '../../src/inbox/normalize-error.ts'

const stack = '\n    at deploy (/app/hooks.ts:10:5)\n    at process.processTicksAndRejections (node:internal:95:5)'

describe('errors of one cause have the same text', () => {
  test.each([
    ['numbers', 'Error: Order 4711 of 1,000.50 failed', 'Error: Order 17 of 9 failed'],
    ['UUIDs', 'Error: no 123e4567-e89b-12d3-a456-426614174000', 'Error: no 00000000-0000-4000-8000-0123456789ab'],
    ['hashes', 'Error: no commit a3f9b2c1d4e5f60718293a4b5c6d7e8f90123456', 'Error: no commit 0b1c2d3'],
    ['random ids', 'Error: no request req_1a2B3c4D5e6F7g8H', 'Error: no request req_Zz9yX8wV7uT6sR5q'],
    ['temporary folders', 'Error: no /tmp/build-Ab3dE/out', 'Error: no /tmp/build-x9Kq0Z/out'],
    ['temporary folders without a digit', 'Error: no /tmp/build-xKqZpr/out', 'Error: no /tmp/build-a1B2c3/out'],
    ['temporary folders of macOS', 'Error: no /var/folders/zz/T/a-xKqZpr', 'Error: no /var/folders/zz/T/a-Kq7Zpr'],
    ['temporary folders of Windows', 'Error: no C:\\Temp\\a-xKqZpr\\b', 'Error: no C:\\Temp\\a-0b1C2d\\b'],
    ['short random suffixes', 'Error: pod web-5b6c7 is gone', 'Error: pod web-x7k2p is gone'],
    ['random suffixes of 7 to 11 characters', 'Error: no job_Ab3dE9fG', 'Error: no job_1xK2zPq8R'],
    ['times', 'Error: expired at 2026-01-31T12:00:00.123Z', 'Error: expired at 2025-12-01T00:00:00+01:00'],
    ['dates of HTTP', 'Error: until Tue, 27 Oct 2015 07:04:38 GMT', 'Error: until Sun, 1 Nov 2026 17:00:00 GMT'],
    [
      'dates of JavaScript',
      'Error: Tue Oct 27 2015 07:04:38 GMT+0000 (UTC)',
      'Error: Sun Nov 01 2026 07:04:38 GMT+0100 (CET)',
    ],
    ['clock times', 'Error: busy until 12:30', 'Error: busy until 07:04:38'],
    ['IPv4 addresses', 'Error: connect ECONNREFUSED 127.0.0.1:5432', 'Error: connect ECONNREFUSED 10.20.30.40:80'],
    ['IPv6 addresses', 'Error: connect ECONNREFUSED ::1', 'Error: connect ECONNREFUSED [2001:db8::8a2e:370:7334]:443'],
    ['mail addresses', 'Error: no user octocat@users.example.org', 'Error: no user a.b+c@example.com'],
    ['addresses in memory', 'Error: fault at 0x7ffee4b2', 'Error: fault at 0x0'],
    ['lines of files', 'SyntaxError: /app/hooks.ts:10:5 is no JSON', 'SyntaxError: /app/hooks.ts:7:12 is no JSON'],
    ['quoted texts', `Error: no label "bug" or 'wont fix'`, `Error: no label "feature 1" or ''`],
    ['stacks', `Error: No tracker${stack}`, 'Error: No tracker\n    at somewhere'],
    ['white space', 'Error: two\n  lines', 'Error:   two lines '],
  ])('%s are replaced', (_name, one, other) => {
    expect(normalizeError(one)).toBe(normalizeError(other))
    expect(normalizeError(one)).not.toBe(normalizeError('Error: another cause'))
  })
})

test.each([
  ['the name of the error', 'TypeError: No tracker', 'RangeError: No tracker'],
  ['words', `Error: can't find the user's file`, `Error: can't find the user's folder`],
  ['the status of a response', 'HttpError: status code 404', 'HttpError: status code 503'],
  ['the exit code of a program', 'Error: build exited with code 1', 'Error: build exited with code 137'],
  ['error codes', 'Error: connect ECONNREFUSED', 'Error: connect ETIMEDOUT'],
  ['architectures', 'Error: no build for linux-amd64', 'Error: no build for linux-arm64'],
  ['names with a number', 'Error: no Http2Stream', 'Error: no OAuth2Token'],
  ['short names with a number', 'Error: no S3Key', 'Error: no Ec2Id'],
  ['names of temporary folders', 'Error: no /tmp/build-output/a', 'Error: no /tmp/build-inputs/a'],
  ['prefixes of temporary folders', 'Error: no /tmp/build-Ab3dE/a', 'Error: no /tmp/check-Ab3dE/a'],
  ['files in temporary folders', 'Error: no /tmp/build-Ab3dE/a', 'Error: no /tmp/build-Ab3dE/b'],
  ['endings of names', 'Error: no team-alpha', 'Error: no team-gamma'],
  ['hosts', 'Error: getaddrinfo ENOTFOUND api.example.org', 'Error: getaddrinfo ENOTFOUND db.example.org'],
  [
    'the cause',
    `TypeError: fetch failed${stack}\nCaused by: Error: a`,
    `TypeError: fetch failed${stack}\nCaused by: Error: b`,
  ],
])('keeps %s', (_name, one, other) => {
  expect(normalizeError(one)).not.toBe(normalizeError(other))
})

test('shows what was replaced', () => {
  const error = `TypeError: fetch failed for 'deploy'${stack}\nCaused by: Error: connect ECONNREFUSED 127.0.0.1:80${stack}`
  expect(normalizeError(error)).toBe("TypeError: fetch failed for '…' ← Error: connect ECONNREFUSED <address>")
  expect(normalizeError('Error: 0b1c2d3 took 900000 ms at 12:30')).toBe('Error: <id> took <n> ms at <time>')
})

test.each([undefined, '', ' \n\0'])('has a text for an error without one: %j', (error) => {
  expect(normalizeError(error)).toBe('No error message')
})

test('is one bounded line without control characters or lone surrogates', () => {
  for (const part of ['word ', '\ud83d', '🚀', '\0', '\u2028', 'a\n']) {
    const text = normalizeError(part.repeat(10_000))
    expect(text.length).toBeLessThanOrEqual(301)
    expect(text).toMatch(/^[^\p{Cc}\p{Zl}]*$/u)
    expect(text.isWellFormed()).toBe(true)
  }
})

/** Each of these repeats the beginning of a part that is replaced, and would take minutes if the time were quadratic. */
test.each([
  'a',
  '1',
  '"',
  "'",
  '1.',
  '1:',
  'a@',
  'f:',
  '0x',
  '2026-01-31 ',
  'status ',
  '\n',
  '\nCaused by: ',
  '\n at ',
  '/tmp/',
  '/tmp/a-',
  'a1b-',
])('reads only the beginning of a huge error: %j', (part) => {
  const huge = part.repeat(2 ** 24 / part.length)
  expect(normalizeError(huge)).toBe(normalizeError(huge.slice(0, 2 ** 14)))
})
