import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Discard, Hooks, type HooksOptions, verify } from '../../src/index.ts'
import { inject, LocalGitHub, run, sample, samples, signedRequest } from '../../src/testing/index.ts'
import { openInbox } from '../inbox/stores.ts'

const secret = 'a secret'

describe('samples', () => {
  test('are found by event and by action', () => {
    expect(sample('issues.opened').action).toBe('opened')
    expect(sample('push')).toHaveProperty('commits')
    expect(samples('push')).toHaveLength(7)
    expect(sample('push', 6)).not.toEqual(sample('push'))
    expect(samples('issues.opened').every(({ event, action }) => event === 'issues' && action === 'opened')).toBe(true)
  })

  test('begin with what users expect of an event', () => {
    const push = sample('push')
    expect(push).toMatchObject({ ref: `refs/heads/${push.repository.default_branch}`, deleted: false })
    expect(push.commits).not.toEqual([])
    const actions = (['issues', 'pull_request', 'check_run', 'release', 'label'] as const).map(
      (name) => sample(name).action,
    )
    expect(actions).toEqual(['opened', 'opened', 'completed', 'published', 'created'])
  })

  test('are copies that a test may change', () => {
    const changed = sample('ping')
    changed.zen = 'changed'
    expect(sample('ping').zen).not.toBe('changed')
  })

  test('that do not exist cause an error that lists the existing ones', () => {
    expect(() => sample('star.exploded' as string)).toThrow(
      'There is no sample 0 of "star.exploded". Available: star.created, star.deleted',
    )
    expect(() => sample('push', 7)).toThrow('There is no sample 7 of "push". Available: push')
    expect(() => sample('wiki' as string)).toThrow(/no sample 0 of "wiki". Available: .*issues, /)
  })

  test.each([
    ['isues', 'issues'],
    ['issue.opened', 'issues.opened'],
    ['issues.opend', 'issues.opened'],
  ])(
    'that do not exist because of the typing error %s cause an error that suggests the correct name',
    (name, meant) => {
      const message = `There is no sample 0 of "${name}". Did you mean "${meant}"? Available: `
      expect(() => sample(name)).toThrow(message)
      expect(() => signedRequest(name)).toThrow(message)
    },
  )

  test.each(['secret_scanning_alert', 'issues.closed'])('do not exist for all events that GitHub sends: %s', (name) => {
    expect(() => sample(name)).toThrow('GitHub does send it: use a payload of your own. Available: ')
  })
})

describe('signedRequest', () => {
  test('rejects an unknown option, without which the request would not be signed', () => {
    expect(() => signedRequest('ping', { secrets: secret } as object)).toThrow(
      'signedRequest(): unknown option "secrets". Did you mean "secret"?',
    )
    expect(() => signedRequest('ping', secret as unknown as object)).toThrow('signedRequest(): unknown option "0"')
  })

  test('signs with both algorithms, as GitHub does, by default', async () => {
    const { method, headers, body } = signedRequest('issues.opened', { secret })
    expect(method).toBe('POST')
    for (const name of ['x-hub-signature', 'x-hub-signature-256'])
      expect(await verify(secret, body, headers[name] as string)).toBe(true)
    expect(headers).toMatchObject({ 'x-github-event': 'issues', 'content-type': 'application/json' })
    expect(headers['x-github-delivery']).toMatch(/^[0-9a-f-]{36}$/)
    expect(signedRequest('ping', { secret, algorithms: ['sha1'] }).headers).not.toHaveProperty('x-hub-signature-256')
    expect(signedRequest('ping').headers).not.toHaveProperty('x-hub-signature-256')
  })

  test('sends the given event, payload and headers', () => {
    const options = { secret, payload: '{ "a": 1 }', guid: 'g', headers: { 'user-agent': undefined, 'x-more': '1' } }
    const { headers, body } = signedRequest('anything_new.happened' as string, options)
    expect(body).toBe('{ "a": 1 }')
    expect(headers).toMatchObject({ 'x-github-event': 'anything_new', 'x-github-delivery': 'g', 'x-more': '1' })
    expect(headers).not.toHaveProperty('user-agent')
    expect(new URLSearchParams(signedRequest('ping', { payload: '{"a":"&"}', form: true }).body).get('payload')).toBe(
      '{"a":"&"}',
    )
  })
})

test('an unknown name with a payload is sent, with one warning that suggests a name', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  onTestFinished(() => warn.mockRestore())
  const payload = { action: 'opened' }
  for (const name of ['isues', 'isues', 'issues.opend', 'issues'] as string[]) signedRequest(name, { payload })
  await run(new Hooks({ logger: false }), 'pull_requst' as string, { payload })
  expect(warn.mock.calls.map(([text]) => text)).toEqual([
    expect.stringMatching(/^hookserver: Unknown event "isues". Did you mean "issues"\? .* ignore this warning$/),
    expect.stringContaining('Did you mean "issues.opened"?'),
    expect.stringContaining('Did you mean "pull_request"?'),
  ])
})

describe('inject', () => {
  test('needs an address only if the origin is checked', async () => {
    const hooks = new Hooks({ secret, ranges: ['192.0.2.0/24'], logger: false })
    hooks.hook('ping', (_data, _guid, { source }) => source)
    expect(await (await inject(hooks, signedRequest('ping', { secret }))).text()).toBe('/hooks')
    const clientAddress = () => '203.0.113.1'
    expect((await inject(hooks, signedRequest('ping', { secret }), { validateIp: true, clientAddress })).status).toBe(
      403,
    )
  })

  test('returns rejections as the sender sees them', async () => {
    const answer = await inject(new Hooks({ secret, logger: false }), { method: 'GET' })
    expect([answer.status, await answer.json()]).toMatchObject([405, { code: 'method_not_allowed' }])
  })
})

describe('run', () => {
  test('returns the outcome of each matching handler', async () => {
    const hooks = new Hooks({ logger: false })
    hooks.on('push', { name: 'deploy', attempts: 3, backoff: 1000 }, ({ attempt, isLastAttempt }) => {
      throw new Error(`attempt ${attempt}${isLastAttempt ? ', the last' : ''}`)
    })
    hooks.hook('push', (payload, guid) => ({ after: payload.after, guid }))
    hooks.on('push', { name: 'elsewhere', source: '/other' }, () => {})
    hooks.on('issues', () => {})
    hooks.on('*', { name: 'skips' }, () => Promise.reject(new Discard('not ours')))
    const payload = { ...sample('push'), after: 'abc' }
    expect(await run(hooks, 'push', { payload, guid: 'g' })).toMatchObject([
      { handler: 'deploy', outcome: 'failed', error: { message: 'attempt 1' }, nextAttemptAt: expect.any(Date) },
      { handler: 'hook:push', outcome: 'succeeded', returned: { after: 'abc', guid: 'g' }, error: undefined },
      { handler: 'skips', outcome: 'discarded', nextAttemptAt: undefined },
    ])
    const [last] = await run(hooks, 'push', { attempt: 3 })
    expect(last).toMatchObject({ outcome: 'dead', error: { message: 'attempt 3, the last' } })
    expect(await run(hooks, 'issues.opened')).toMatchObject([{ handler: 'on:issues' }, { handler: 'skips' }])
  })
})

test('run overrides the credentials and the address of GitHub', async () => {
  const github = await LocalGitHub.start()
  onTestFinished(() => github.close())
  const hooks = new Hooks({ logger: false, token: 'wrong', apiUrl: 'http://127.0.0.1:1' })
  hooks.schedule(
    'greet',
    { every: '6h' },
    async ({ octokit }) => (await (await octokit()).rest.users.getAuthenticated()).data,
  )
  const options = { apiUrl: github.url, token: github.addToken({ login: 'mona' }) }
  expect(await run(hooks, 'schedule.greet', options)).toMatchObject([{ returned: { login: 'mona' } }])
})

test('run calls the handler of a schedule, at the current time', async () => {
  const hooks = new Hooks({ logger: false })
  hooks.schedule('digest', { every: '6h' }, ({ source, payload }) => ({ ...payload, source }))
  const returned = { source: 'schedule', action: 'digest', time: expect.stringMatching(/^\d{4}-.*Z$/) }
  expect(await run(hooks, 'schedule.digest')).toMatchObject([{ handler: 'digest', returned }])
})

test('run rejects unknown options', async () => {
  const unknown = run(new Hooks(), 'push', { attempts: 3 } as object)
  await expect(unknown).rejects.toThrow(new TypeError('run(): unknown option "attempts". Did you mean "attempt"?'))
})

describe('the action of the name', () => {
  const payload = { issue: { number: 7 } }

  test('is added to a payload without an action', async () => {
    const hooks = new Hooks({ secret, logger: false })
    hooks.hook('issues.opened', ({ action, issue }) => `${action} ${issue.number}`)
    expect(await run(hooks, 'issues.opened', { payload })).toMatchObject([{ returned: 'opened 7' }])
    const reply = await inject(hooks, signedRequest('issues.opened', { secret, payload }))
    expect(await reply.text()).toBe('opened 7')
    expect(payload).not.toHaveProperty('action')
  })

  test('does not replace that of the payload', () => {
    const { body } = signedRequest('issues.opened', { payload: { action: 'closed' } as never })
    expect(JSON.parse(body)).toEqual({ action: 'closed' })
  })
})

describe('inject without the inbox', () => {
  test('does not warn about options that need an inbox, which the server may add', async () => {
    const warn = vi.fn()
    const hooks = new Hooks({ secret, logger: { warn, error: warn } })
    hooks.hook('push', { attempts: 3, order: 'repository' }, () => 'pong')
    expect((await inject(hooks, signedRequest('push', { secret }))).status).toBe(200)
    expect(warn).not.toHaveBeenCalled()
    hooks.mount()
    expect(warn).toHaveBeenCalledOnce()
  })

  test('replies with the return value of the hook', async () => {
    const hooks = new Hooks({ secret, logger: false, work: false, inbox: openInbox() })
    hooks.hook('push', () => 'pong')
    expect((await inject(hooks, signedRequest('push', { secret }))).status).toBe(202)
    const reply = await inject(hooks, signedRequest('push', { secret }), { inbox: false })
    expect([reply.status, await reply.text()]).toEqual([200, 'pong'])
  })
})

describe('inject prints the error of a failed handler', () => {
  async function printedBy(own: HooksOptions, given?: HooksOptions): Promise<unknown[][]> {
    const hooks = new Hooks({ secret, ...own })
    hooks.hook('push', () => {
      throw failure
    })
    const print = vi.spyOn(console, 'error').mockImplementation(() => {})
    const reply = await inject(hooks, signedRequest('push', { secret }), given)
    const printed = print.mock.calls
    print.mockRestore()
    expect(reply.status).toBe(500)
    return printed
  }
  const failure = new TypeError('no such label')
  const line = ['%s', 'hookserver: A handler for push failed', { err: failure }]

  test('with logger: false', async () => {
    const onError = vi.fn()
    expect(await printedBy({ logger: false, onError })).toEqual([line])
    const delivery = expect.objectContaining({ event: 'push' })
    expect(onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ error: failure, delivery }))
    expect(await printedBy({}, { logger: false })).toEqual([line])
  })

  test('once, if a logger does', async () => {
    expect(await printedBy({})).toHaveLength(1)
    expect(await printedBy({ logger: { warn() {}, error() {} } })).toEqual([])
  })

  test('unless it gets an onError', async () => {
    const onError = vi.fn()
    expect(await printedBy({ logger: false }, { onError })).toEqual([])
    expect(onError).toHaveBeenCalledOnce()
  })
})

describe('LocalGitHub', () => {
  test('limits requests with and without a token, and does not count an authorized 304', async () => {
    const github = await LocalGitHub.start({ token: 't', limits: { anonymous: 1, authorized: 2 } })
    const get = (headers: Record<string, string> = {}) => fetch(`${github.url}/meta`, { headers })
    const authorization = 'Bearer t'
    const first = await get({ authorization })
    expect([first.status, first.headers.get('x-ratelimit-remaining')]).toEqual([200, '1'])
    const etag = first.headers.get('etag') as string
    for (let i = 0; i < 3; i++) expect((await get({ authorization, 'if-none-match': etag })).status).toBe(304)
    expect(github.remaining).toEqual({ anonymous: 1, authorized: 1 })
    expect((await get({ 'if-none-match': etag })).status).toBe(200) // the ETag is that of the token
    const limited = await get()
    expect([limited.status, limited.headers.get('x-ratelimit-remaining')]).toEqual([403, '0'])
    expect(Number(limited.headers.get('x-ratelimit-reset'))).toBeCloseTo(github.resetAt / 1000, -1)
    expect((await get({ authorization: 'Bearer wrong' })).status).toBe(401)
    github.hooks = ['192.0.2.0/24']
    const changed = await get({ authorization, 'if-none-match': etag })
    expect([changed.status, await changed.json()]).toMatchObject([200, { hooks: ['192.0.2.0/24'] }])
    expect(github.requests.map(({ status }) => status)).toEqual([200, 304, 304, 304, 200, 403, 401, 200])
    await github.close()
  })

  test('fails once for each requested failure, and answers 404 to unknown routes', async () => {
    const github = await LocalGitHub.start()
    github.fail({ status: 502, body: { message: 'Bad gateway' } }, 'cut', 'hang')
    expect(await (await fetch(`${github.url}/meta`)).json()).toEqual({ message: 'Bad gateway' })
    await expect(fetch(`${github.url}/meta`)).rejects.toThrow()
    const hanging = fetch(`${github.url}/meta`).catch((error: unknown) => error)
    await vi.waitFor(() => expect(github.requests).toHaveLength(3))
    expect((await fetch(`${github.url}/other`)).status).toBe(404)
    await github.close()
    expect(await hanging).toBeInstanceOf(TypeError)
  })
})
