/** Rate limits during requests of `delivery.octokit()`, and attempts that fail because of them. */
import { createServer, type ServerResponse } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { GitHubClient } from '../../src/github/github-client.ts'
import { maxWait } from '../../src/github/octokit-scope.ts'
import { type Delivery, Hooks } from '../../src/index.ts'
import {
  type Failure,
  inject,
  type LocalGitHub,
  type LocalGitHubOptions,
  sample,
  signedRequest,
} from '../../src/testing/index.ts'
import { listen, stop } from '../adapters/host.ts'
import { Recorder } from '../recorder.ts'
import { addApp, attemptsFor, requestsTo, secret, startBot, startGitHub } from './bot-scene.ts'

const minute = 60_000
const sha = 'd670460b4b4aece5915caf5c68d12f560a9fe3e4'
const statuses = `/repos/Codertocat/Hello-World/statuses/${sha}`

const repository = { owner: 'Codertocat', repo: 'Hello-World' }

/** Sends a write request that causes no notification. */
const write = async (delivery: Delivery) => {
  const octokit = await delivery.octokit()
  return (await octokit.rest.repos.createCommitStatus({ ...repository, sha, state: 'success' })).status
}

const read = async (delivery: Delivery) => {
  const octokit = await delivery.octokit()
  return (await octokit.rest.repos.get(repository)).status
}

async function start(work: (delivery: Delivery) => unknown, options: LocalGitHubOptions = {}) {
  const github = await startGitHub(options)
  const app = addApp(github)
  const bot = await startBot({ apiUrl: github.url, app }, work, { backoff: '1ms' })
  github.addHook({ app, url: bot.url, secret })
  return { github, ...bot }
}

/** GitHub's response to requests that are too fast. */
const tooFast = (wait: number) => ({
  status: 403,
  headers: { 'retry-after': String(wait) },
  body: { message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.' },
})

/** Seconds from the end of the first attempt to the start of the next one. */
async function waitOf({ inbox }: Awaited<ReturnType<typeof start>>): Promise<number> {
  const [attempt] = await attemptsFor(inbox)
  expect(attempt?.outcome).toBe('failed')
  const task = (await inbox.get(1))?.tasks[0]
  const ended = Number(attempt?.startedAt) + Number(attempt?.duration)
  return ((task?.nextAttemptAt ?? Number.NaN) - ended) / 1000
}

describe('write requests', () => {
  test.each([undefined, true])('of five comments fit into 9 s, with the pacing %s', async (pacing) => {
    const github = await startGitHub()
    github.addRepository('Codertocat/Hello-World')
    const app = addApp(github)
    const hooks = new Hooks({ secret, validateIp: false, logger: new Recorder(), apiUrl: github.url, app, pacing })
    hooks.on('issues.opened', async (delivery) => {
      const octokit = await delivery.octokit()
      const { number } = (await octokit.rest.issues.create({ ...repository, title: delivery.payload.issue.title })).data
      for (const body of ['1', '2', '3', '4', '5'])
        await octokit.rest.issues.createComment({ ...repository, issue_number: number, body })
    })
    const payload = { ...sample('issues.opened'), installation: { id: 5 } }
    const { status } = await inject(hooks, signedRequest('issues.opened', { secret, payload }))
    expect(status).toBe(204)
    expect(requestsTo(github).filter((one) => one.endsWith('/comments 201'))).toHaveLength(5)
  })
})

describe('requests at the same time', () => {
  test('are limited by the budget alone: 12 run together', async () => {
    const all: ServerResponse[] = []
    const server = createServer((_request, response) => {
      all.push(response)
      if (all.length === 12) for (const one of all) one.setHeader('content-type', 'application/json').end('{}')
    })
    const apiUrl = await listen(server)
    onTestFinished(() => stop(server))
    const hooks = new Hooks({ secret, logger: new Recorder(), apiUrl, token: 'token', pacing: true })
    onTestFinished(() => hooks.close())
    const octokit = await hooks.octokit({ repository: 'octo/hello' })
    await Promise.all(Array.from({ length: 12 }, () => octokit.rest.repos.get(repository)))
    expect(all).toHaveLength(12)
  })

  test('leave the places of running requests to others while they wait for their turn', async () => {
    const github = await startGitHub()
    github.addRepository('Codertocat/Hello-World')
    const token = github.addToken()
    const hooks = new Hooks({ secret, logger: new Recorder(), apiUrl: github.url, token, pacing: true })
    const octokit = await hooks.octokit({ repository: 'Codertocat/Hello-World' })
    const status = { ...repository, sha, state: 'success' } as const
    const writes = Array.from({ length: 100 }, () => octokit.rest.repos.createCommitStatus(status))
    const settled = Promise.allSettled(writes)
    await octokit.rest.repos.get(repository)
    expect(github.requests.length).toBeLessThan(50)
    await hooks.close()
    await settled
  })

  test('of an installation are sent while GitHub does not answer another with a token', async () => {
    const { github, hooks } = await start(write)
    github.failAt(/installations\/5\/access_tokens/, 'hang')
    const [waiting, other] = [await hooks.octokit({ installation: 5 }), await hooks.octokit({ installation: 6 })]
    const list = 'GET /installation/repositories'
    const pending = waiting.request(list)
    expect((await other.request(list)).status).toBe(200)
    const ended = expect(pending).rejects.toThrow('hooks.close() ends requests to GitHub')
    await hooks.close({ grace: 0 })
    await ended
  })

  test('of a schedule are sent when no other write request waits', async () => {
    const github = await startGitHub()
    github.addRepository('Codertocat/Hello-World')
    const options = { apiUrl: github.url, app: undefined, token: github.addToken(), pacing: true }
    const client = new GitHubClient({ ...options, logger: new Recorder() })
    const { signal } = new AbortController()
    const writeFrom = async (source: string) => {
      const octokit = await client.octokitFor({ source, log: new Recorder(), signal } as unknown as Delivery)
      return octokit.rest.repos.createCommitStatus({ ...repository, sha, state: 'success', context: source })
    }
    const scheduled = Array.from({ length: 11 }, () => writeFrom('schedule'))
    await Promise.all(scheduled.slice(0, 10)) // the burst: the last one waits
    await writeFrom('/hooks')
    await Promise.all(scheduled)
    const contexts = github.requests.map(({ body }) => (body as { context: string }).context)
    expect(contexts.slice(10)).toEqual(['/hooks', 'schedule'])
  })
})

describe('a secondary rate limit', () => {
  test('is waited for, and logged', async () => {
    const { github, inbox, logger } = await start(write)
    github.failAt(/statuses/, tooFast(1))
    const [sent] = await github.deliver('push')
    expect(await attemptsFor(inbox)).toMatchObject([{ outcome: 'succeeded', result: '201' }])
    expect(requestsTo(github).slice(1)).toEqual([`POST ${statuses} 403`, `POST ${statuses} 201`])
    expect(logger.lines).toContainEqual({
      level: 'warn',
      fields: { id: 1, guid: sent?.guid, event: 'push', wait: 1 },
      message: expect.stringMatching(/^POST \S+ reached GitHub's secondary rate limit: it is retried in \d+ s$/),
    })
  })

  test('with the status 403 or 429 is not tried again before its end', async () => {
    const list = 'GET /installation/repositories'
    const answersWith = async (status: number) => {
      const { github, hooks } = await start(write)
      const octokit = await hooks.octokit({ installation: 5 })
      const [short, long] = [1, maxWait + 40].map((wait) => ({ ...tooFast(wait), status }))
      github.failAt(/repositories/, short as Failure, { status: 502 }, long as Failure)
      await expect(octokit.request(list)).rejects.toMatchObject({ status })
      return requestsTo(github).filter((one) => one.startsWith('GET'))
    }
    const rejections = [403, 429]
    expect(await Promise.all(rejections.map(answersWith))).toEqual(
      rejections.map((status) => [status, 502, status].map((one) => `${list} ${one}`)),
    )
  })

  test('slows the requests of one installation, and not those of another', async () => {
    const { github, hooks } = await start(write)
    const [limited, other] = [await hooks.octokit({ installation: 5 }), await hooks.octokit({ installation: 6 })]
    const list = 'GET /installation/repositories'
    await limited.request(list)
    github.failAt(/repositories/, tooFast(maxWait + 40))
    await expect(limited.request(list)).rejects.toThrow('You have exceeded a secondary rate limit')
    await expect(limited.request(list)).rejects.toThrow(/was not sent for installation 5: GitHub limits its requests/)
    expect((await other.request(list)).status).toBe(200)
  })

  test('that lasts longer fails the attempt, and the next attempt starts after the reset', async () => {
    const bot = await start(write)
    const { github, logger } = bot
    github.failAt(/statuses/, tooFast(maxWait + 40))
    await github.deliver('push')
    const wait = await waitOf(bot)
    expect(wait).toBeGreaterThanOrEqual(maxWait + 40 - 1)
    expect(wait).toBeLessThan(maxWait + 40 + 11)
    expect(logger.messages).toContainEqual(expect.stringMatching(/secondary rate limit: it fails$/))
    expect((await attemptsFor(bot.inbox))[0]?.error).toMatch(/^HttpError: You have exceeded a secondary rate limit/)
  })
})

describe('a request that GitHub rejects for the state of the repository', () => {
  const merge = 'PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge'
  const pull = { ...repository, pull_number: 2 }

  test.each([405, 409])('with the status %i is sent once', async (status) => {
    const { github, hooks } = await start(write)
    const octokit = await hooks.octokit({ installation: 5 })
    github.failAt(/merge$/, { status })
    await expect(octokit.request(merge, pull)).rejects.toMatchObject({ status })
    expect(requestsTo(github).filter((one) => one.startsWith('PUT'))).toHaveLength(1)
  })

  test('is sent again if its option "retries" says so', async () => {
    const { github, hooks } = await start(write)
    const octokit = await hooks.octokit({ installation: 5 })
    github.failAt(/merge$/, { status: 405 }, { status: 200 })
    expect((await octokit.request(merge, { ...pull, request: { retries: 1 } })).status).toBe(200)
  })
})

describe('the hourly rate limit', () => {
  const exhaust = ({ github }: { github: LocalGitHub }, ms: number) => {
    github.resetAt = github.clock.now() + ms
    github.remaining['installation 5'] = 0
  }

  test('that resets within a minute is waited for', async () => {
    const bot = await start(read)
    exhaust(bot, 1000)
    await bot.github.deliver('push')
    expect(await attemptsFor(bot.inbox)).toMatchObject([{ outcome: 'succeeded' }])
    const path = '/repos/Codertocat/Hello-World'
    expect(requestsTo(bot.github).slice(1)).toEqual([`GET ${path} 403`, `GET ${path} 200`])
  })

  test('that lasts longer fails the attempt, and the next attempt starts after the reset', async () => {
    const bot = await start(read)
    exhaust(bot, 20 * minute)
    await bot.github.deliver('push')
    const wait = await waitOf(bot)
    expect(wait).toBeGreaterThanOrEqual(20 * 60 - 1)
    expect(wait).toBeLessThan(20 * 60 + 13)
  })

  test('is shared by all deliveries of an installation, which send nothing until the reset', async () => {
    const bot = await start(read)
    exhaust(bot, 20 * minute)
    await bot.github.deliver('push')
    await attemptsFor(bot.inbox)
    const sent = requestsTo(bot.github).length
    await bot.github.deliver('push')
    const [attempt] = await attemptsFor(bot.inbox, 2)
    expect(attempt?.error).toMatch(
      /^HttpError: GET \/repos\/\S+ was not sent for installation 5: GitHub limits its requests for another 1\d{3} s/,
    )
    expect(requestsTo(bot.github)).toHaveLength(sent)
    const other = await bot.hooks.octokit({ installation: 6 })
    expect((await other.request('GET /installation/repositories')).status).toBe(200)
  })

  test('keeps a fifth for deliveries of GitHub: schedules leave it to them', async () => {
    const github = await startGitHub()
    const app = addApp(github)
    const client = new GitHubClient({ apiUrl: github.url, app, token: undefined, logger: new Recorder() })
    const { signal } = new AbortController()
    const octokitOf = (source: string) =>
      client.octokitFor({ installationId: '5', source, log: new Recorder(), signal } as unknown as Delivery)
    const [scheduled, interactive] = [await octokitOf('schedule'), await octokitOf('/hooks')]
    github.remaining['installation 5'] = 1000
    github.resetAt = github.clock.now() + 20 * minute
    expect((await scheduled.rest.repos.get(repository)).status).toBe(200)
    await expect(scheduled.rest.repos.get(repository)).rejects.toThrow(
      /background requests leave the rest of the rate limit/,
    )
    expect((await interactive.rest.repos.get(repository)).status).toBe(200)
  })
})

describe('the priority "background"', () => {
  async function startWithFifth() {
    const github = await startGitHub()
    const app = addApp(github)
    const hooks = new Hooks({ secret, validateIp: false, logger: new Recorder(), apiUrl: github.url, app })
    onTestFinished(() => hooks.close())
    github.remaining['installation 5'] = 1001
    github.resetAt = github.clock.now() + 20 * minute
    return { github, app, hooks }
  }

  const leavesTheRest = /background requests leave the rest of the rate limit/

  test('of a handler leaves a fifth of the limit to the other handlers of a delivery', async () => {
    const { hooks } = await startWithFifth()
    const results: unknown[] = []
    const readAs = async (name: string, delivery: Delivery) => {
      const result = await read(delivery).catch((error: Error) => error.message)
      results.push([name, result])
    }
    hooks.on('push', { name: 'first', priority: 'background' }, (delivery) => readAs('background', delivery))
    hooks.on('push', { name: 'second', priority: 'background' }, (delivery) => readAs('background', delivery))
    hooks.on('push', (delivery) => readAs('normal', delivery))
    const payload = { ...sample('push'), installation: { id: 5 } }
    const { status } = await inject(hooks, signedRequest('push', { secret, payload }))
    expect(status).toBe(204)
    expect(results).toEqual([
      ['background', 200],
      ['background', expect.stringMatching(leavesTheRest)],
      ['normal', 200],
    ])
  })

  test('of hooks.octokit() leaves a fifth of the limit to others', async () => {
    const { hooks } = await startWithFifth()
    const [normal, background] = [
      await hooks.octokit({ installation: 5 }),
      await hooks.octokit({ installation: 5 }, { priority: 'background' }),
    ]
    await background.rest.repos.get(repository)
    await normal.rest.repos.get(repository)
    await expect(background.rest.repos.get(repository)).rejects.toThrow(leavesTheRest)
    await normal.rest.repos.get(repository)
  })

  test('is that of the list of the repositories of a schedule', async () => {
    const { github, app } = await startWithFifth()
    const client = new GitHubClient({ apiUrl: github.url, app, token: undefined, logger: new Recorder() })
    const list = async () => {
      for await (const _target of client.listScheduleRepositories({ id: '5', account: null }));
    }
    await list()
    await expect(list()).rejects.toThrow(leavesTheRest)
  })

  test.each([
    [{ priority: 'low' }, `Option "priority" of hooks.octokit() must be 'normal' or 'background', got "low"`],
    [{ weight: 1 }, 'Unknown option "weight" of hooks.octokit()'],
  ])('is checked: %j', async (options, message) => {
    const { hooks } = await startWithFifth()
    await expect(hooks.octokit({ installation: 5 }, options as never)).rejects.toThrow(message)
  })
})

describe('the signal of a delivery', () => {
  /** Runs a handler that sends a request, without an inbox. @param timeout In milliseconds, of the handler. */
  async function abortedBy(github: LocalGitHub, timeout: number) {
    const logger = new Recorder()
    const ended = Promise.withResolvers<{ error: unknown; reason: unknown }>()
    const hooks = new Hooks({
      secret,
      validateIp: false,
      logger,
      replyTimeout: timeout,
      apiUrl: github.url,
      token: github.addToken(),
    })
    hooks.hook('push', (_data, _guid, delivery) =>
      write(delivery as Delivery).catch((error: unknown) => {
        ended.resolve({ error, reason: delivery.signal.reason })
        throw error
      }),
    )
    onTestFinished(() => hooks.close())
    const reply = await inject(hooks, signedRequest('push', { secret }))
    expect(reply.status).toBe(503)
    return { ...(await ended.promise), messages: logger.messages }
  }

  test.each([
    ['a request', (github: LocalGitHub) => github.failAt(/statuses/, 'hang')],
    ['a wait for a rate limit', (github: LocalGitHub) => github.failAt(/statuses/, tooFast(30))],
    ['a wait after a failure', (github: LocalGitHub) => github.failAt(/statuses/, { status: 500 }, { status: 500 })],
  ])('ends %s immediately', async (_what, plan) => {
    const github = await startGitHub()
    github.addRepository('Codertocat/Hello-World')
    plan(github)
    const { error, reason, messages } = await abortedBy(github, 400)
    expect(error).toBe(reason)
    expect(error).toMatchObject({ name: 'TimeoutError' })
    expect(messages.filter((one) => /^Handler|onError/.test(one))).toHaveLength(1) // the failure is logged once
    expect(github.requests).toHaveLength(1)
  })
})
