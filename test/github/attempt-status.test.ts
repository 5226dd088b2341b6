import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { attemptStatus } from '../../src/github/attempt-status.ts'

const address = 'https://hooks.example/in?key=hidden'
const go = (reason: string) => `POST ${address} giving up after 1 attempt(s): Post "${address}": ${reason}`

describe('the status of an attempt', () => {
  test.each([
    ['OK', 200, 'OK', 200],
    ['Invalid HTTP Response: 503', 503, 'Invalid HTTP Response: 503', 503],
    ['Invalid HTTP Response: 500', 500, 'Invalid HTTP Response: 500', 500],
    ['timed out', 504, 'timed out', undefined],
    ['failed to connect to host', 502, 'failed to connect to host', undefined],
    [go('context deadline exceeded (Client.Timeout exceeded while awaiting headers)'), 500, 'timed out', undefined],
    [go('EOF'), 500, 'connection lost', undefined],
    [go('unexpected EOF'), 500, 'connection lost', undefined],
    [go('read tcp 10.0.0.1:4->10.0.0.2:443: read: connection reset by peer'), 500, 'connection lost', undefined],
    [go('dial tcp 10.0.0.2:443: connect: connection refused'), 500, 'connection refused', undefined],
    [go('dial tcp 10.0.0.2:443: i/o timeout'), 500, 'timed out', undefined],
    [go('dial tcp: lookup hooks.example on 10.0.0.53:53: no such host'), 500, 'host not found', undefined],
    [go('tls: failed to verify certificate: x509: certificate has expired'), 500, 'TLS error', undefined],
    [
      go('http: server gave HTTP response to HTTPS client'),
      500,
      'http: server gave HTTP response to HTTPS client',
      undefined,
    ],
    [`something new about ${address}, and more`, 500, 'something new about [address] and more', 500],
    ['', 418, 'status 418', 418],
    [null, null, 'status unknown', undefined],
  ])('%j with %s is %j', (text, code, status, statusCode) => {
    expect(attemptStatus(text, code)).toEqual({ status, statusCode })
  })

  test('never contains an address, and is short', () => {
    const part = fc.string().map(encodeURIComponent)
    fc.assert(
      fc.property(fc.string(), part, part, fc.string(), (before, path, query, after) => {
        const url = `https://hooks.example/${path}?key=${query}`
        const { status } = attemptStatus(`${before} "${url}" ${after}`, 500)
        expect(status).not.toContain('hooks.example')
        expect(status.length).toBeLessThanOrEqual(200)
      }),
    )
  })
})
