import type { RequestListener } from 'node:http'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { fetchMeta } from '../../src/receiver/github-meta.ts'
import { RangesError, rangesAdvice } from '../../src/receiver/github-ranges.ts'
import { type Failure, LocalGitHub } from '../../src/testing/index.ts'
import { serving } from '../adapters/host.ts'

const reset = Date.UTC(2015, 9, 27, 7, 4, 38)
const unreachable = 'Error reaching GitHub'

let github: LocalGitHub
let apiUrl: string
beforeEach(async () => {
  github = await LocalGitHub.start({ hooks: ['192.0.2.0/24', '2001:db8::/32'], token: 'right' })
  apiUrl = github.url
})
afterEach(async () => {
  vi.restoreAllMocks()
  vi.useRealTimers()
  await github.close()
})

const look = (token?: string, etag?: string) => fetchMeta({ apiUrl, token }, etag)

/** The error of the next fetch, which gets `failure` as its answer. */
async function failureOf(failure: Failure | undefined, url = apiUrl, token?: string): Promise<RangesError> {
  if (failure) github.fail(failure)
  const error = await fetchMeta({ apiUrl: url, token }, undefined).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(RangesError)
  return error as RangesError
}

describe('a fetch of /meta', () => {
  test('returns the list and its ETag', async () => {
    const found = await look()
    expect(found).toEqual({
      cidrs: ['192.0.2.0/24', '2001:db8::/32'],
      etag: expect.stringMatching(/^W\/"\w+"$/),
      tokenRejected: false,
    })
  })

  test('sends the headers that GitHub requires, and no authorization without a token', async () => {
    await look()
    const { method, path, headers } = github.requests[0] ?? {}
    expect([method, path]).toEqual(['GET', '/meta'])
    expect(headers).toMatchObject({ accept: 'application/vnd.github+json', 'user-agent': 'hookserver' })
    expect(headers).not.toHaveProperty('authorization')
    expect(headers).not.toHaveProperty('if-none-match')
  })

  test('sends the token, and counts against its rate limit', async () => {
    await look('right')
    expect(github.requests[0]?.headers.authorization).toBe('Bearer right')
    expect(github.remaining).toEqual({ anonymous: 60, authorized: 4999 })
  })

  test('with the ETag of the last response finds no change, and does not count against the rate limit', async () => {
    const { etag } = await look('right')
    expect(await look('right', etag)).toEqual({ cidrs: undefined, etag, tokenRejected: false })
    expect(github.requests.map(({ status }) => status)).toEqual([200, 304])
    expect(github.remaining.authorized).toBe(4999)
  })

  test('with the ETag of an older response gets the list', async () => {
    const { etag } = await look('right')
    github.hooks = ['198.51.100.0/24']
    const found = await look('right', etag)
    expect(found.cidrs).toEqual(['198.51.100.0/24'])
    expect(found.etag).not.toBe(etag)
  })

  test('returns a list without an ETag', async () => {
    github.fail({ status: 200, body: { hooks: ['::1'] } })
    expect(await look()).toEqual({ cidrs: ['::1'], etag: undefined, tokenRejected: false })
  })
})

describe('a token that GitHub rejects', () => {
  test('is omitted, and reported', async () => {
    const found = await look('wrong')
    expect(found).toMatchObject({ cidrs: ['192.0.2.0/24', '2001:db8::/32'], tokenRejected: true })
    expect(github.requests.map(({ status }) => status)).toEqual([401, 200])
    expect(github.requests[1]?.headers).not.toHaveProperty('authorization')
  })

  test('does not hide an error of the request without it', async () => {
    github.remaining.anonymous = 0
    expect((await failureOf(undefined, apiUrl, 'wrong')).message).toMatch(/^Rate limited from GitHub until /)
  })

  test('is not assumed for a 401 without a token', async () => {
    expect((await failureOf({ status: 401 })).message).toBe(unreachable)
    expect(github.requests).toHaveLength(1)
  })
})

describe('a rate limit', () => {
  const limited = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(reset / 1000) }

  test.each([403, 429])('has the text of Flask-Hookserver, with its end: %i', async (status) => {
    const failure = await failureOf({ status, headers: limited })
    expect(failure.message).toBe('Rate limited from GitHub until Tue, 27 Oct 2015 07:04:38 GMT')
    expect(failure.until).toBe(reset)
  })

  test.each([403, 429])('may be in Retry-After, which has precedence: %i', async (status) => {
    vi.useFakeTimers({ toFake: ['Date'], now: reset - 90_000 })
    const failure = await failureOf({ status, headers: { ...limited, 'retry-after': '60' } })
    expect(failure.message).toBe('Rate limited from GitHub until Tue, 27 Oct 2015 07:04:08 GMT')
    expect(failure.until).toBe(reset - 30_000)
  })

  test('is not assumed if GitHub is down and sends Retry-After', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: reset })
    const failure = await failureOf({ status: 503, headers: { 'retry-after': '60' } })
    expect([failure.message, failure.until]).toEqual([unreachable, reset + 60_000])
  })

  test.each<[string, Failure]>([
    ['requests remain', { status: 403, headers: { ...limited, 'x-ratelimit-remaining': '1' } }],
    ['the end is missing', { status: 403, headers: { 'x-ratelimit-remaining': '0' } }],
    ['the end is not a number', { status: 429, headers: { ...limited, 'x-ratelimit-reset': 'soon' } }],
    ['the end is not a date', { status: 429, headers: { ...limited, 'x-ratelimit-reset': '9'.repeat(30) } }],
    ['the wait is not a number', { status: 429, headers: { 'retry-after': '-1' } }],
    ['the status is neither 403 nor 429', { status: 500, headers: limited }],
  ])('is not assumed where %s', async (_, rejected) => {
    const failure = await failureOf(rejected)
    expect([failure.message, failure.until]).toEqual([unreachable, undefined])
  })
})

describe('a failed fetch', () => {
  test.each([301, 400, 404, 500, 502, 503])('keeps the status for the log: %i', async (status) => {
    const failure = await failureOf({ status })
    expect(failure.message).toBe(unreachable)
    expect(failure.cause).toMatchObject({ message: `GET /meta returned status ${status}` })
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['text', 'hooks'],
    ['an object without the list', { actions: ['192.0.2.0/24'] }],
    ['a list that is not an array', { hooks: '192.0.2.0/24' }],
    ['an empty list', { hooks: [] }],
    ['a list of other things', { hooks: ['192.0.2.0/24', 7] }],
  ])('is reported for an answer that is %s', async (_, body) => {
    const failure = await failureOf({ status: 200, body })
    expect(failure.message).toBe(unreachable)
    expect(failure.cause).toBeInstanceOf(Error)
  })

  test('is reported for an answer that is an HTML page', async () => {
    const proxy: RequestListener = (_, response) =>
      response.setHeader('content-type', 'text/html').end('<h1>Sign in</h1>')
    const failure = await serving(proxy, (origin) => failureOf(undefined, origin))
    expect([failure.message, failure.cause]).toEqual([unreachable, expect.any(SyntaxError)])
  })

  test('is reported for a connection that breaks, or cannot be opened', async () => {
    expect(await failureOf('cut')).toMatchObject({ message: unreachable, cause: expect.any(Error) })
    await github.close()
    expect(await failureOf(undefined)).toMatchObject({ message: unreachable, cause: expect.any(Error) })
    github = await LocalGitHub.start()
  })

  test.each([200, 401, 503])(
    'is reported for a body that never ends, and the connection is closed: %i',
    async (status) => {
      let written = 0
      const closed = Promise.withResolvers<void>()
      const endless: RequestListener = (_, response) => {
        const chunk = Buffer.alloc(64 * 1024, ' ')
        const write = () => {
          do written += chunk.length
          while (response.write(chunk) && !response.destroyed)
        }
        response.writeHead(status, { 'content-type': 'application/json' }).on('drain', write)
        response.on('close', closed.resolve)
        write()
      }
      await serving(endless, async (origin) => {
        const failure = await failureOf(undefined, origin)
        const cause = status === 200 ? 'The answer is larger than 4 MiB' : `GET /meta returned status ${status}`
        expect([failure.message, failure.cause]).toEqual([unreachable, expect.objectContaining({ message: cause })])
        await closed.promise
        expect(written).toBeLessThan(64 * 1024 * 1024) // also counts unread bytes in the buffers of the sockets
      })
    },
  )

  test('is reported for a list that is too long', async () => {
    const hooks = Array(400_000).fill('192.0.2.0/24')
    const failure = await failureOf({ status: 200, body: { hooks } })
    expect(failure.cause).toMatchObject({ message: 'The answer is larger than 4 MiB' })
  })

  test.each<[string, RequestListener]>([
    ['sends nothing', () => {}],
    ['stops in the middle', (_, response) => void response.writeHead(200).write('{"hooks":[')],
  ])('ends while a delivery can still be answered, if GitHub %s', async (_, answer) => {
    const clock = new AbortController()
    const asked = Promise.withResolvers<void>()
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(clock.signal)
    const listener: RequestListener = (request, response) => {
      answer(request, response)
      asked.resolve()
    }
    await serving(listener, async (origin) => {
      const failing = failureOf(undefined, origin)
      await asked.promise
      clock.abort(new DOMException('The time is over', 'TimeoutError'))
      expect((await failing).message).toBe(unreachable)
    })
    expect(timeout.mock.calls[0]?.[0]).toBeLessThan(9000)
  })
})

describe('a list without the addresses of webhooks', () => {
  test('names the option to set', async () => {
    const failure = await failureOf({ status: 200, body: { verifiable_password_authentication: true } })
    const advice = 'set the option ranges to the address of your GitHub Enterprise Server'
    expect(failure.cause).toMatchObject({ message: `The response of /meta has no list "hooks": ${advice}` })
  })

  test('names the page with the egress ranges of GHE.com, and nothing for github.com', () => {
    const [advice] = rangesAdvice('https://api.acme.ghe.com')
    expect(advice).toMatch(/the option ranges .* egress ranges of your region, see https:\/\/docs\.github\.com\//)
    expect(rangesAdvice('https://api.github.com')).toEqual([])
  })
})
