/** Deliveries that the receiver does not answer. */
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { describe, expect, onTestFinished, test } from 'vitest'
import { noAnswerOf } from '../../../src/testing/github/sending/outcome.ts'
import type { LocalGitHubOptions } from '../../../src/testing/index.ts'
import { listen, stop } from '../../adapters/host.ts'
import { certifyBy, makeAuthority } from '../../postgres/connection/certificates.ts'
import { ask, start } from './scene.ts'

const token = 'right'
const anyAddress = expect.stringMatching(/^POST /)

async function listening(server: Server): Promise<string> {
  onTestFinished(() => stop(server))
  return listen(server)
}

/** The URLs of receivers that do not answer, for each reason. */
const receivers = {
  timeout: () => listening(createServer()),
  closed: () => listening(createServer(({ socket }) => socket.destroy())),
  async unreachable() {
    const server = createServer()
    const url = await listen(server)
    await stop(server)
    return url
  },
  unresolved: async () => 'http://hookserver.invalid',
  async tls() {
    const certificate = await certifyBy(await makeAuthority('a test'), '127.0.0.1')
    return (await listening(createTlsServer(certificate))).replace('http:', 'https:')
  },
}

const cases = [
  ['timeout', 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)', 'timeout'],
  ['closed', 'EOF', 'connection_error'],
  ['unreachable', 'dial tcp HOST: connect: connection refused', 'connection_error'],
  ['unresolved', 'dial tcp: lookup hookserver.invalid: no such host', 'connection_error'],
  ['tls', 'tls: failed to verify certificate: x509: certificate signed by unknown authority', 'connection_error'],
] as const

/** Delivers a push to a receiver. @returns The delivery, the webhook's `last_response`, and the URL of the receiver. */
async function deliverTo(kind: keyof typeof receivers, options: LocalGitHubOptions = {}) {
  const url = `${await receivers[kind]()}/hook?key=1`
  const github = await start({ token, ...options, ...(kind === 'timeout' && { timeout: '50ms' as const }) })
  const hook = github.addHook({ repository: 'octo/hello', url })
  const [made] = await github.deliver('push')
  const { json } = await ask(github, `GET /repos/octo/hello/hooks/${hook.id}`, { token })
  return { made, last: json.last_response, url }
}

describe('a delivery without an answer', () => {
  test.each(cases)("has the status code 500 and the text of GitHub's client: %s", async (failure, cause, health) => {
    const { made, last, url } = await deliverTo(failure)
    const reason = cause.replace('HOST', new URL(url).host)
    const status = `POST ${url} giving up after 1 attempt(s): Post "${url}": ${reason}`
    expect(made).toMatchObject({ failure, status, statusCode: 500, response: { headers: {}, payload: null } })
    expect(last).toEqual({ code: 500, status: health, message: status })
  })

  test.each(cases)('has a short text with classic status texts: %s', async (failure, _cause, health) => {
    const { made, last } = await deliverTo(failure, { statusTexts: 'classic' })
    const [status, statusCode] = failure === 'timeout' ? ['timed out', 504] : ['failed to connect to host', 502]
    expect(made).toMatchObject({ failure, status, statusCode })
    expect(last).toEqual({ code: statusCode, status: health, message: status })
  })

  test('names the TLS handshake if the receiver does not speak TLS', async () => {
    const url = (await listening(createServer())).replace('http:', 'https:')
    const github = await start()
    github.addHook({ repository: 'octo/hello', url })
    expect(await github.deliver('push')).toMatchObject([
      { failure: 'tls', status: expect.stringMatching(/: tls: first record does not look like a TLS handshake$/) },
    ])
  })

  test('can be recorded, with the text of a sent one', async () => {
    const github = await start({ token })
    const hook = github.addHook({ repository: 'octo/hello', url: 'https://bot.example.com/hook' })
    const made = github.record(
      hook,
      cases.map(([failure]) => ({ event: 'push', failure })),
    )
    expect(made.map(({ status, statusCode }) => [status.split('": ')[1], statusCode])).toEqual(
      cases.map(([, cause]) => [
        cause.replace('HOST', 'bot.example.com:443').replace('hookserver.invalid', 'bot.example.com'),
        500,
      ]),
    )
    const other = { failure: 'timeout', status: 'something else', statusCode: 599 } as const
    expect(github.record(hook, [{ event: 'push', ...other }])).toMatchObject([other])
    const classic = await start({ statusTexts: 'classic' })
    const classicHook = classic.addHook({ repository: 'octo/hello', url: 'https://bot.example.com/hook' })
    expect(classic.record(classicHook, [{ event: 'push', failure: 'timeout' }])).toMatchObject([
      { status: 'timed out', statusCode: 504 },
    ])
  })

  test('shows its text in the API', async () => {
    const github = await start({ token })
    const hook = github.addHook({ repository: 'octo/hello', url: 'https://bot.example.com/hook' })
    github.record(hook, [{ event: 'push', failure: 'closed' }])
    const { json } = await ask(github, `GET /repos/octo/hello/hooks/${hook.id}/deliveries?status=failure`, { token })
    expect(json).toMatchObject([{ status: anyAddress, status_code: 500 }])
  })
})

describe('an error of Node.js', () => {
  test.each([
    [
      { code: 'EHOSTUNREACH', syscall: 'connect', address: '::1', port: 9 },
      'dial tcp [::1]:9: connect: no route to host',
    ],
    [{ code: 'EACCES', syscall: 'connect', address: '10.0.0.1', port: 9 }, 'dial tcp 10.0.0.1:9: connect: EACCES'],
    [
      { code: 'ECONNREFUSED', errors: [{ code: 'ECONNREFUSED', syscall: 'connect', address: '127.0.0.1', port: 9 }] },
      'dial tcp 127.0.0.1:9: connect: connection refused',
    ],
    [
      { code: 'CERT_HAS_EXPIRED' },
      'tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
    ],
    [
      {
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
        host: 'c.example',
        cert: { subjectaltname: 'DNS:a.example, DNS:b.example' },
      },
      'tls: failed to verify certificate: x509: certificate is valid for a.example, b.example, not c.example',
    ],
    [
      { code: 'INVALID_PURPOSE' },
      'tls: failed to verify certificate: x509: certificate specifies an incompatible key usage',
    ],
    [{ code: 'HPE_INVALID_CONSTANT' }, 'EOF'],
  ])("becomes an error of GitHub's client: %j", (error, cause) => {
    expect(noAnswerOf(error).cause).toBe(cause)
  })
})
