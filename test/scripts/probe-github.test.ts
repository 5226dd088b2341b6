import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseExactly } from '../../scripts/probe-github/exact-json.ts'
import { readFlags, tokenFrom } from '../../scripts/probe-github/flags.ts'
import type { Probe } from '../../scripts/probe-github/probe.ts'
import type { Report } from '../../scripts/probe-github/run-probe.ts'
import { askLarge } from '../../scripts/probe-github/steps/large-payload.ts'
import { meaningOf } from '../../scripts/probe-github/steps/log.ts'
import { withoutAddress } from '../../scripts/probe-github/steps/statuses.ts'
import { listen, stop } from '../adapters/host.ts'
import { addGitData } from './git-data.ts'
import { createWebhook, ownUrl, run, start, stepThat, toStep } from './probe-scene.ts'

/** Starts a server with a Git repository that only this token can read. @returns Its origin. */
async function startGitServer(token: string): Promise<string> {
  const authorization = `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`
  const server = createServer(({ headers, url = '' }, response) => {
    if (headers.authorization !== authorization) response.writeHead(401, { 'www-authenticate': 'Basic' }).end()
    else
      response.end(
        url.includes('/info/refs') ? `${'0123456789'.repeat(4)}\trefs/heads/main\n` : 'ref: refs/heads/main\n',
      )
  })
  const origin = await listen(server)
  onTestFinished(() => stop(server))
  return origin
}

function factsOf(report: Report, name: string) {
  const result = report.results.find((one) => one.name === name)
  if (result?.outcome !== 'answered') throw new Error(JSON.stringify(result))
  return result.facts
}

describe('the flags', () => {
  const base = ['--repository', 'octo/scratch']

  test.each<[args: string[], message: string]>([
    [[], '--repository is missing'],
    [['--repository', 'scratch'], '--repository must be "owner/name"'],
    [[...base, '--api-url', 'http://ghe.example/api/v3'], '--api-url must begin with https://'],
    [[...base, '--answering-url', 'receiver.example/?token=hidden'], '--answering-url must begin with https://'],
    [[...base, '--manifest-address', 'yes'], '--manifest-address must be "accepted" or "rejected"'],
    [[...base, '--old-attempt', '1'], '--old-attempt must be the ids of a webhook and a delivery'],
    [[...base, '--wait', 'long'], '--wait must be a number of seconds'],
    [[...base, '--compare', fileURLToPath(import.meta.url)], 'it is not a report'],
    [[...base, '--compare', '/missing.json'], 'Cannot read /missing.json'],
    [[...base, '--unknown'], "Unknown option '--unknown'"],
  ])('rejects %j', (args, message) => {
    expect(() => readFlags(args)).toThrow(message)
    expect(() => readFlags(args)).not.toThrow('hidden')
  })

  test('selects steps in their usual order', () => {
    const { steps: chosen } = readFlags([...base, '--only', 'ids,headers', '--only', 'clone'])
    expect(chosen.map(({ name }) => name)).toEqual(['headers', 'ids', 'clone'])
  })

  test('rejects a token that no header can have, without showing it', () => {
    expect(() => tokenFrom({ GITHUB_TOKEN: 'ghp_one\nghp_two' })).toThrow(
      /^GITHUB_TOKEN has characters that no token has$/,
    )
  })
})

describe('the webhooks', () => {
  test('are deleted after a step that fails, and the next steps run', async () => {
    const local = await start()
    const failing = stepThat(async ({ webhooks }) => {
      await webhooks.create({ url: ownUrl })
      expect(local.webhooks()).toHaveLength(1)
      throw new Error('The step fails')
    })
    const during: string[][] = []
    const next = stepThat(async () => {
      during.push(local.webhooks())
      return { facts: { answer: 42 } }
    })
    const { report } = await run(local, [failing, next])
    expect(report.results).toMatchObject([
      { outcome: 'failed', reason: 'The step fails' },
      { outcome: 'answered', facts: { answer: 42 } },
    ])
    expect(during).toEqual([[]])
    expect(report.leftBehind).toEqual([])
  })

  test('of an earlier run are deleted, and all other webhooks stay', async () => {
    const local = await start()
    const { repository } = local.target
    for (const number of [1, 2])
      local.github.addHook({ repository, url: `https://hookserver.invalid/?hookserver-probe=0ldrun-${number}` })
    const { progress } = await run(local, [])
    expect(local.github.webhooks.map(({ url }) => url)).toEqual([ownUrl])
    expect(progress).toEqual(['Deleted webhooks of an earlier run: 2'])
  })

  test('are deleted at the end if GitHub failed to delete them before', async () => {
    const local = await start()
    local.github.failAt(/^DELETE /, { status: 500 })
    const { report } = await run(local, [createWebhook])
    expect([local.webhooks(), report.leftBehind]).toEqual([[], []])
  })

  test('are named in the report if GitHub does not delete them', async () => {
    const local = await start()
    local.github.failAt(/^DELETE /, ...Array.from({ length: 10 }, () => ({ status: 500 })))
    const { report } = await run(local, [createWebhook])
    const [webhook] = local.github.webhooks.filter(({ url }) => url !== ownUrl)
    expect(report.leftBehind).toEqual([`DELETE /repos/octocat/scratch/hooks/${webhook?.id} was answered 500`])
  })
})

describe('the output', () => {
  test('has no token, no secret and no query of a URL', async () => {
    const local = await start()
    const receiver = 'https://user:a-password@receiver.example/hook?token=a-receiver-token'
    const tell = stepThat(async ({ webhooks, token, progress }) => {
      const { url } = await webhooks.create({ url: receiver })
      const { secret } = local.github.webhooks.find((hook) => hook.url === url) ?? {}
      const text = `Post "${url}": EOF, signed with ${secret}, by ${token}, and again ${new URL(receiver).search}`
      progress(text)
      return { facts: { text, list: [{ text }] } }
    })
    const fail = stepThat(async ({ token }) => Promise.reject(new Error(`${token} was rejected`)))
    const { output } = await run(local, [tell, fail], { receivers: { badTls: receiver } })
    expect(output).toContain('Post \\"https://receiver.example/hook\\": EOF, signed with [redacted], by [redacted]')
    for (const hidden of ['ghp_local', 'a-password', 'a-receiver-token', 'hookserver-probe='])
      expect(output).not.toContain(hidden)
  })
})

describe('the requests', () => {
  test('ask for the API version that hookserver uses', async () => {
    const local = await start()
    await run(local, ['webhook-address'])
    const versions = local.github.requests.map(({ headers }) => headers['x-github-api-version'])
    expect(new Set(versions)).toEqual(new Set(['2022-11-28']))
  })

  test('wait for a rate limit as long as GitHub asks, and are then repeated', async () => {
    const local = await start()
    local.github.failAt(/^POST .*hooks$/, { status: 403, headers: { 'retry-after': '0' } })
    const { report, progress } = await run(local, ['webhook-address'])
    expect(factsOf(report, 'webhook-address')).toMatchObject({ accepted: true })
    expect(progress).toContain("GitHub's rate limit: waiting 0 s")
  })

  test('have a limit for the size of an answer', async () => {
    const read = stepThat(async ({ api, path }) => {
      const { status } = await api.request('GET', path, { maxBytes: 1024 })
      return { facts: { status } }
    })
    const { report } = await run(await start(), [read])
    expect(report.results).toMatchObject([
      { outcome: 'failed', reason: expect.stringContaining('The answer is larger') },
    ])
  })

  test('fail with the cause if the connection is cut', async () => {
    const local = await start()
    local.github.failAt(/^POST /, 'cut')
    const { report } = await run(local, ['webhook-address'])
    const reason = expect.stringMatching(/^POST \/repos\/octocat\/scratch\/hooks failed: fetch failed: .+/)
    expect(report.results).toMatchObject([{ outcome: 'failed', reason }])
  })
})

describe('the steps', () => {
  test('webhook-address reports a rejection as an answer', async () => {
    const local = await start()
    const body = { message: 'Validation Failed', errors: [{ field: 'url', code: 'custom', message: 'url is wrong' }] }
    local.github.failAt(/^POST .*hooks$/, { status: 422, body })
    const { report } = await run(local, ['webhook-address'])
    const answer = '422 Validation Failed (url is wrong)'
    expect(factsOf(report, 'webhook-address')).toEqual({ accepted: false, answer })
  })

  test('conditional-list reports the cost of a 304 and of a 200', async () => {
    const { report } = await run(await start(), ['conditional-list'])
    expect(factsOf(report, 'conditional-list')).toMatchObject({
      statuses: [304, 304, 304],
      cost: { conditional: [0, 0, 0], unconditional: 1 },
    })
  })

  test('headers reports the headers that are there', async () => {
    const { report } = await run(await start(), ['headers'])
    const { list, ping } = factsOf(report, 'headers')
    expect(list).toEqual(expect.arrayContaining(['x-ratelimit-remaining', 'x-ratelimit-reset', 'etag']))
    expect(ping).not.toContain('etag')
  })

  test('ids reports the digits of ids that a number would round', async () => {
    const local = await start()
    const id = '3840000000000000001'
    const big = stepThat(async (probe) => {
      const data = parseExactly(`{"id": 1, "owner": {"id": ${id}}}`) as Probe['repository']
      return toStep('ids').ask({ ...probe, repository: data })
    }, 'ids')
    const { report } = await run(local, [big])
    expect(factsOf(report, 'ids')).toMatchObject({
      delivery: { digits: expect.any(Number), above2to53: expect.any(Boolean) },
      repository: { digits: 1, above2to53: false },
      owner: { digits: 19, above2to53: true },
      installation: 'not visible to this token',
    })
  })

  test('unknown-delivery reads an unknown and an old delivery, and requests their redelivery', async () => {
    const local = await start()
    const { report } = await run(local, ['unknown-delivery'])
    const rejected = { read: expect.stringMatching(/^4\d\d /), redeliver: expect.stringMatching(/^4\d\d /) }
    expect(factsOf(report, 'unknown-delivery')).toMatchObject({ unknown: rejected, old: rejected })
    const without = await run(local, ['unknown-delivery'], { oldAttempt: undefined })
    expect(factsOf(without.report, 'unknown-delivery')).toMatchObject({ old: 'not asked: pass --old-attempt' })
  })

  test('merge-config reports the properties that a change of the URL keeps', async () => {
    const { report } = await run(await start(), ['merge-config'])
    expect(factsOf(report, 'merge-config')).toEqual({
      ...{ url: 'changed', contentType: 'json', secretShown: true, nextAttemptSigned: true, events: ['star'] },
    })
  })

  test('status-answered asks for each status if the URL has a placeholder, and otherwise once', async () => {
    const local = await start()
    const { answering = '' } = local.target.receivers ?? {}
    const { report } = await run(local, ['status-answered'])
    expect(factsOf(report, 'status-answered')).toMatchObject({
      404: { statusCode: 404, lastResponse: { code: 404 } },
      500: { statusCode: 500, lastResponse: { code: 500 } },
    })
    const fixed = await run(local, ['status-answered'], {
      receivers: { answering: answering.replace('{status}', '410') },
    })
    expect(factsOf(fixed.report, 'status-answered')).toMatchObject({ statusCode: 410 })
  })

  test('the steps that need a receiver name its flag', async () => {
    const names = ['status-refused', 'status-bad-tls', 'status-answered']
    const { report } = await run(await start(), names, { receivers: {} })
    expect(report.results).toMatchObject([
      { outcome: 'not asked', reason: 'pass --refusing-url' },
      { outcome: 'not asked', reason: 'pass --bad-tls-url' },
      { outcome: 'not asked', reason: 'pass --answering-url' },
    ])
  })

  test('a step fails if the log does not get an attempt in time', async () => {
    const local = await start()
    const { report } = await run(local, ['status-timeout'], { maxWait: 1 })
    const reason = 'The log has 0 attempts after 0 s'
    expect(report.results).toMatchObject([{ outcome: 'failed', reason }])
  })

  test('form-payload reports the type of a payload in the log', async () => {
    const { report } = await run(await start(), ['form-payload'])
    expect(factsOf(report, 'form-payload')).toMatchObject({
      form: { contentType: 'application/x-www-form-urlencoded', payload: expect.stringMatching(/^(object|text)/) },
      json: { contentType: 'application/json', payload: 'object' },
    })
  })

  test.each([
    [true, 'accepts', 'ghp_local'],
    [false, 'rejects', 'ghp_expired'],
  ])('clone reports %s if a Git server %s the token', async (works, _, accepted) => {
    const origin = await startGitServer(accepted)
    const clone = stepThat((probe) => {
      const repository = { clone_url: `${origin}/octocat/scratch.git`, private: true }
      return toStep('clone').ask({ ...probe, apiUrl: origin, repository })
    })
    const { report } = await run(await start(), [clone])
    const measured = { message: works ? null : expect.any(String), token: { kind: 'ghp_', length: 9 } }
    expect(report.results).toMatchObject([{ facts: { works, private: true }, measured }])
  })

  test('clone does not give the token to another server than that of the API', async () => {
    const clone = stepThat((probe) =>
      toStep('clone').ask({ ...probe, repository: { clone_url: 'https://other.example/octocat/scratch.git' } }),
    )
    const local = await start()
    const { report } = await run(local, [clone])
    const reason = `the repository is not cloned from ${local.github.webUrl}`
    expect(report.results).toMatchObject([{ outcome: 'not asked', reason }])
  })

  test('large-payload pushes commits with payloads up to the limit of GitHub, and deletes its branch', async () => {
    const local = await start()
    const branches = addGitData(local.github, local.target.repository)
    const ask = stepThat((probe) => askLarge(probe, [1, 7])) // with the first and the last of its pushes, for speed
    const { report } = await run(local, [ask], { large: true })
    const [result] = report.results
    expect(result).toMatchObject({
      facts: { pushes: [1, 7].map((commits) => ({ commits, listed: true, read: '200', payload: 'object' })) },
    })
    const { payloadBytes } = result?.outcome === 'answered' ? (result.measured ?? {}) : {}
    const mebibytes = (payloadBytes as number[]).map((bytes) => Math.round(bytes / 1024 / 1024))
    expect(mebibytes).toEqual([6, 24])
    expect(branches.size).toBe(0)
  })

  test('large-payload is not asked without its flag, or if GitHub has no API for Git data', async () => {
    const local = await start()
    expect((await run(local, ['large-payload'])).report.results).toMatchObject([{ reason: 'pass --large' }])
    const { report } = await run(local, ['large-payload'], { large: true })
    expect(report.results).toMatchObject([{ outcome: 'not asked', reason: expect.stringContaining('no API for Git') }])
  })
})

describe('the meaning of delivered_at', () => {
  const second = 1000
  test.each([
    ['start', 'the attempt begins after the ping', { deliveredAt: 0.5, listedAt: 11 }],
    ['end', 'the attempt ends before the log lists it', { deliveredAt: 10.5, listedAt: 11 }],
    ['unknown', 'the log lists the attempt late', { deliveredAt: 10.5, listedAt: 60 }],
    ['unknown', 'the clocks differ too much', { deliveredAt: -20, listedAt: -20 }],
  ] as const)('is %s if %s', (meaning, _, { deliveredAt, listedAt }) => {
    const times = { pingedAt: 0, deliveredAt: deliveredAt * second, listedAt: listedAt * second, duration: 10 }
    expect(meaningOf(times)).toBe(meaning)
  })
})

test.each([
  [
    'POST https://a.example/hook giving up after 1 attempt(s): Post "https://a.example/hook": EOF',
    'POST <url> giving up after 1 attempt(s): Post "<url>": EOF',
  ],
  ['dial tcp: lookup a.example: no such host', 'dial tcp: lookup <host>: no such host'],
  ['dial tcp 192.0.2.7:443: connect: connection refused', 'dial tcp <ip>: connect: connection refused'],
])('the text %j does not depend on the address of the receiver', (text, expected) => {
  expect(withoutAddress(text, 'https://a.example/hook?hookserver-probe=1')).toBe(expected)
})

test('keeps the digits of ids and of large integers', () => {
  const text = '{"id":7,"hook_id":3840000000000000001,"size":9007199254740993,"count":7,"duration":0.25,"big":1e300}'
  expect(parseExactly(text)).toEqual({
    ...{ id: '7', hook_id: '3840000000000000001', size: '9007199254740993', count: 7, duration: 0.25, big: 1e300 },
  })
})
