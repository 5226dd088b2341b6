import { describe, expect, test } from 'vitest'
import type { LocalGitHub } from '../../../src/testing/index.ts'
import { jwtOf } from './jwt.ts'
import { ask, sha, start } from './scene.ts'

const token = 'right'
const minute = 60_000

/** The headers of the hourly limit, as numbers. */
function told(headers: Headers) {
  const number = (name: string) => Number(headers.get(`x-ratelimit-${name}`))
  return { limit: number('limit'), remaining: number('remaining'), used: number('used'), reset: number('reset') }
}

const write = (github: LocalGitHub) =>
  ask(github, `POST /repos/octo/hello/statuses/${sha}`, { token, body: { state: 'success' } })

describe('the hourly limit', () => {
  test.each([undefined, 429] as const)(
    'is in the headers of every answer, and rejects further requests (option status: %s)',
    async (status) => {
      const github = await start({ token, limits: { authorized: 2, ...(status && { status }) } })
      const reset = Math.floor(github.resetAt / 1000)
      const first = await ask(github, 'GET /user', { token })
      expect(told(first.headers)).toEqual({ limit: 2, remaining: 1, used: 1, reset })
      expect(first.headers.get('x-ratelimit-resource')).toBe('core')
      expect(told((await ask(github, 'GET /repos/octo/none', { token })).headers)).toMatchObject({
        remaining: 0,
        used: 2,
      })
      const rejected = await ask(github, 'GET /user', { token })
      expect([rejected.status, rejected.json.message]).toEqual([
        status ?? 403,
        expect.stringMatching(/^API rate limit exceeded for user ID \d+\.$/),
      ])
      expect(told(rejected.headers)).toEqual({ limit: 2, remaining: 0, used: 2, reset })
    },
  )

  test('starts again after an hour', async () => {
    const github = await start({ limits: { anonymous: 1 } })
    const look = async () => (await ask(github, 'GET /meta')).status
    expect([await look(), await look()]).toEqual([200, 403])
    github.clock.advance(60 * minute)
    expect([await look(), await look()]).toEqual([200, 403])
  })

  test('applies to each user, installation and App separately', async () => {
    const github = await start({ token, limits: { anonymous: 1, authorized: 1 } })
    const app = github.addApp({ id: 3 })
    for (const each of [undefined, token, github.addToken({ login: 'mona' }), jwtOf(app)]) {
      expect(await ask(github, 'GET /meta', { token: each })).toMatchObject({ status: 200 })
      expect(await ask(github, 'GET /meta', { token: each })).toMatchObject({ status: 403 })
    }
  })

  test('is shared by all tokens of a user, including that of the option `token`', async () => {
    const github = await start({ token, limits: { authorized: 2 } })
    const [other, mona, monas] = [
      github.addToken(),
      github.addToken({ login: 'mona' }),
      github.addToken({ login: 'Mona' }),
    ]
    for (const [one = '', two = ''] of [
      [token, other],
      [mona, monas],
    ]) {
      for (const each of [one, two])
        expect(await ask(github, 'GET /user', { token: each })).toMatchObject({ status: 200 })
      for (const each of [one, two])
        expect(await ask(github, 'GET /user', { token: each })).toMatchObject({ status: 403 })
    }
    expect(github.remaining.authorized).toBe(0)
  })

  test('does not count an authorized request that is answered 304', async () => {
    const github = await start({ token })
    github.addRepository('octo/hello')
    const etag = (await ask(github, 'GET /repos/octo/hello', { token })).headers.get('etag') ?? ''
    const again = () => ask(github, 'GET /repos/octo/hello', { token, headers: { 'if-none-match': `"a", ${etag}` } })
    const { status, json, headers } = await again()
    expect([status, json, headers.get('etag')]).toEqual([304, undefined, etag])
    expect(github.remaining.authorized).toBe(4999)
  })

  test('counts an anonymous request that is answered 304', async () => {
    const github = await start()
    github.addRepository('octo/hello')
    const etag = (await ask(github, 'GET /repos/octo/hello')).headers.get('etag') ?? ''
    const again = await ask(github, 'GET /repos/octo/hello', { headers: { 'if-none-match': etag } })
    expect([again.status, github.remaining.anonymous]).toEqual([304, 58])
  })

  test('gives each token an ETag of its own', async () => {
    const github = await start({ token })
    github.addRepository('octo/hello')
    const read = (auth?: string) => ask(github, 'GET /repos/octo/hello', { token: auth })
    const etags = [await read(token), await read(token), await read(github.addToken()), await read()].map(
      ({ headers }) => headers.get('etag'),
    )
    expect(etags[1]).toBe(etags[0])
    expect(new Set(etags).size).toBe(3)
  })
})

describe('the secondary limit', () => {
  test('counts 1 point for a read and 5 for a write, and rejects requests until the minute ends', async () => {
    const github = await start({ token, limits: { points: 12 } })
    github.addRepository('octo/hello')
    expect((await write(github)).status).toBe(201)
    expect((await write(github)).status).toBe(201)
    expect((await ask(github, 'GET /user', { token })).status).toBe(200)
    github.clock.advance(10_000)
    const { status, json, headers } = await write(github)
    expect([status, json.message]).toEqual([403, expect.stringMatching(/^You have exceeded a secondary rate limit/)])
    const wait = Number(headers.get('retry-after'))
    expect(wait).toBeGreaterThan(40)
    expect(wait).toBeLessThanOrEqual(50)
    expect((await ask(github, 'GET /user', { token })).status).toBe(200)
    github.clock.advance(wait * 1000)
    expect((await write(github)).status).toBe(201)
  })

  test('has no Retry-After with `retryAfter: false`', async () => {
    const github = await start({ token, limits: { points: 1, retryAfter: false } })
    expect((await ask(github, 'GET /user', { token })).status).toBe(200)
    const { status, json, headers } = await ask(github, 'GET /user', { token })
    expect([status, json.message]).toEqual([403, expect.stringMatching(/^You have exceeded a secondary rate limit/)])
    expect(headers.get('retry-after')).toBe(null)
    expect(told(headers).remaining).toBeGreaterThan(0)
  })

  test('allows 900 reads a minute by default', async () => {
    const github = await start({ token })
    const statuses = new Map<number, number>()
    for (let count = 0; count < 905; count++) {
      const { status } = await fetch(`${github.url}/user`, { headers: { authorization: `Bearer ${token}` } })
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    expect(Object.fromEntries(statuses)).toEqual({ 200: 900, 403: 5 })
  })

  test('requires a second between two writes with `strict`', async () => {
    const github = await start({ token, strict: true })
    github.addRepository('octo/hello')
    expect((await write(github)).status).toBe(201)
    const { status, headers } = await write(github)
    expect([status, headers.get('retry-after')]).toEqual([403, '1'])
    expect((await ask(github, 'GET /user', { token })).status).toBe(200)
    github.clock.advance(1000)
    expect((await write(github)).status).toBe(201)
  })
})
