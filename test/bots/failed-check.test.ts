import { Octokit } from 'octokit'
import { describe, expect, test } from 'vitest'
import type { ReceivedDelivery } from '../../src/delivery.ts'
import { type CheckRun, type Delivery, Discard, Hooks, Retry, Unrecoverable } from '../../src/index.ts'
import { run } from '../../src/testing/index.ts'
import { attemptsFor, requestsTo, secret, startBot } from '../github/bot-scene.ts'
import { Recorder } from '../recorder.ts'
import {
  annotation,
  check,
  first,
  hooksOf,
  pullRequest,
  push,
  repository,
  runsOf,
  second,
  startScene,
} from './check-scene.ts'

const noted = { title: 'Lint', summary: 'One problem', annotations: [annotation(1)] }

describe('a check that fails', () => {
  test('stays in progress until the retry, which updates the same run', async () => {
    const { github, hooks, runs } = await startScene()
    const failed = await check(hooks, async () => {
      throw new Error('No connection')
    })
    expect(failed).toMatchObject({ outcome: 'failed', error: { message: 'No connection' } })
    const summary = expect.stringMatching(/^The check ended with an error\. The log .* delivery [\da-f-]{36}\.$/)
    const output = { title: 'Failed, and will be retried', summary }
    expect(await runs()).toMatchObject([{ status: 'in_progress', conclusion: null, output }])
    const id = (await runs())[0]?.id
    await check(hooks, async () => 'success', { attempt: 2 })
    expect(await runs()).toMatchObject([{ id, conclusion: 'success', output: { title: 'Passed' } }])
    expect(requestsTo(github).filter((one) => one.startsWith('POST') && one.includes('check-runs'))).toHaveLength(1)
  })

  test.each<[string, Error, number]>([
    ['in its last attempt', new Retry({ message: 'Broken' }), 12],
    ['with Unrecoverable', new Unrecoverable('Broken'), 1],
  ])('%s is a failure with the message', async (_when, error, attempt) => {
    const { hooks, runs } = await startScene()
    const work = async ({ annotate }: CheckRun) => {
      annotate(annotation(1))
      throw error
    }
    expect(await check(hooks, work, { attempt })).toMatchObject({ outcome: 'dead', error })
    const output = { title: 'Failed', summary: 'Broken', annotations_count: 1 }
    expect(await runs()).toMatchObject([{ status: 'completed', conclusion: 'failure', output }])
  })

  test.each<[Error, string, object]>([
    [new Retry({ message: 'Not yet', after: 5 }), 'failed', { status: 'in_progress', output: { summary: 'Not yet' } }],
    [new Discard('No code'), 'discarded', { conclusion: 'skipped', output: { summary: 'No code' } }],
  ])('with %o', async (error, outcome, shown) => {
    const { hooks, runs } = await startScene()
    const work = async () => {
      throw error
    }
    expect(await check(hooks, work)).toMatchObject({ outcome, error })
    expect(await runs()).toMatchObject([shown])
  })

  test('does not show the message of an error that was not thrown on purpose', async () => {
    const { github, hooks, runs } = await startScene()
    const work = () => Promise.reject(new Error('a secret'))
    await check(hooks, work)
    expect(await check(hooks, work, { attempt: 12 })).toMatchObject({ outcome: 'dead' })
    expect(await runs()).toMatchObject([{ conclusion: 'failure' }])
    expect(JSON.stringify(github.requests.map(({ body }) => body))).not.toContain('a secret')
  })

  test('fails with its own error if GitHub does not take the report', async () => {
    const { github, app } = await startScene()
    const logger = new Recorder()
    const done = await check(hooksOf(github, app, logger), async () => {
      github.failAt(/^PATCH /, { status: 422 })
      throw new Error('Broken')
    })
    expect(done).toMatchObject({ outcome: 'failed', error: { message: 'Broken' } })
    expect(logger.lines.map(({ message }) => message)).toContain(
      'Cannot report the failure of the check "lint" to GitHub',
    )
  })

  test('does not create its run twice in one attempt, because GitHub may have created it before an error', async () => {
    const { github, hooks, runs } = await startScene()
    github.failAt(/^POST .*check-runs/, { status: 502 })
    const posts = () => requestsTo(github).filter((one) => /^POST .*check-runs/.test(one))
    expect(await check(hooks, async () => 'success')).toMatchObject({ outcome: 'failed', error: { status: 502 } })
    expect(posts()).toHaveLength(1)
    await check(hooks, async () => 'success', { attempt: 2 })
    expect(await runs()).toMatchObject([{ conclusion: 'success' }])
  })

  test('goes on with a run that GitHub has created in spite of its error, also in the last attempt', async () => {
    const { github, app, runs } = await startScene()
    const fetchWithError: typeof fetch = async (address, init) => {
      const response = await fetch(address, init)
      const creates = init?.method === 'POST' && String(address).endsWith('/check-runs')
      return creates ? Response.json({ message: 'Server Error' }, { status: 502 }) : response
    }
    const octokit = Octokit.defaults({ request: { fetch: fetchWithError } })
    const settings = { validateSignature: false, logger: false, apiUrl: github.url, app, octokit } as const
    expect(await check(new Hooks(settings), async () => 'neutral', { attempt: 12 })).toMatchObject({
      outcome: 'succeeded',
    })
    expect(await runs()).toMatchObject([{ status: 'completed', conclusion: 'neutral' }])
  })

  test.each([
    ['of a result', false],
    ['of work that fails', true],
  ])('is a failure without annotations if GitHub rejects those %s in the last attempt', async (_which, isBroken) => {
    const { github, hooks, runs } = await startScene()
    const work = async ({ annotate }: CheckRun) => {
      annotate(annotation(1))
      github.failAt(/^PATCH /, { status: 422 })
      if (isBroken) throw new Error('Broken')
    }
    expect(await check(hooks, work, { attempt: 12 })).toMatchObject({ outcome: 'dead' })
    const output = { title: 'Failed', annotations_count: 0 }
    expect(await runs()).toMatchObject([{ status: 'completed', conclusion: 'failure', output }])
  })

  test('stays in progress if GitHub rejects its result before the last attempt', async () => {
    const { github, hooks, runs } = await startScene()
    github.failAt(/^PATCH /, { status: 422 })
    expect(await check(hooks, async () => 'success')).toMatchObject({ outcome: 'failed', error: { status: 422 } })
    expect(await runs()).toMatchObject([{ status: 'in_progress', output: { title: 'Failed, and will be retried' } }])
  })

  test('does not go on with the run of another App', async () => {
    const { github, app } = await startScene()
    const other = github.addApp({ id: 4, installations: [{ id: 6, repositories: [repository] }] })
    const inboxes = [app, other].map(async (one) => {
      const fail = ({ check }: Delivery) => check('lint', () => Promise.reject(new Error('Broken')))
      const bot = await startBot({ apiUrl: github.url, app: one }, fail, { attempts: 2, backoff: '1ms' })
      github.addHook({ app: one, url: bot.url, secret, events: ['pull_request'] })
      return bot.inbox
    })
    const both = await Promise.all(inboxes)
    const { installation: _installation, ...payload } = pullRequest(first)
    await github.deliver('pull_request.opened', payload)
    for (const inbox of both) await attemptsFor(inbox, 1, 2)
    const runs = await runsOf(github, first)
    const apps = runs.map(({ app: { id }, conclusion }) => [id, conclusion])
    expect(apps.toSorted()).toEqual([
      [3, 'failure'],
      [4, 'failure'],
    ])
  })

  test.each([
    ['that the App has created in another way', {}],
    ['with annotations, which cannot be removed', { external_id: 'hookserver', output: noted }],
  ])('does not go on with a run %s', async (_which, more) => {
    const { hooks, others, runs } = await startScene()
    const own = others()
    own.on('pull_request', async ({ octokit, repo }) => {
      const { rest } = await octokit()
      await rest.checks.create({ ...repo(), name: 'lint', head_sha: first, status: 'in_progress', ...more })
    })
    await run(own, 'pull_request', { payload: pullRequest(first) as never })
    await check(hooks, async () => 'success', { attempt: 2 })
    expect(await runs()).toMatchObject([{ status: 'in_progress' }, { conclusion: 'success' }])
  })

  test('gets a new run after a conclusion, because GitHub reopens none', async () => {
    const { hooks, runs } = await startScene()
    await check(hooks, async () => 'failure')
    await check(hooks, async () => 'success')
    expect(await runs()).toMatchObject([{ conclusion: 'failure' }, { conclusion: 'success' }])
  })
})

describe('a check whose last attempt times out', () => {
  const timedOut = { status: 'completed', conclusion: 'timed_out', output: { title: 'Timed out' } }

  /** Runs a check whose attempt ends while it works, as if its time were over. */
  async function checkUntilTimeout(
    { hooks, runs }: Awaited<ReturnType<typeof startScene>>,
    work: (run: CheckRun, abort: () => void) => Promise<void>,
    { attempt = 12, reason = 'TimeoutError' } = {},
  ) {
    const handler = (delivery: Delivery) =>
      delivery.check('lint', (run) =>
        work(run, () => (delivery as ReceivedDelivery).abort(new DOMException('too late', reason))),
      )
    hooks.on('pull_request', { name: 'late' }, handler)
    const [done] = await run(hooks, 'pull_request', { payload: pullRequest(first) as never, attempt })
    return { done, runs: await runs() }
  }

  const stop = async ({ signal }: CheckRun, abort: () => void) => {
    abort()
    signal.throwIfAborted()
  }

  test('is completed if its function stops at the signal', async () => {
    const scene = await startScene()
    const { done } = await checkUntilTimeout(scene, stop)
    expect(done).toMatchObject({ outcome: 'dead', error: { name: 'TimeoutError' } })
    await expect.poll(() => scene.runs()).toMatchObject([timedOut])
  })

  test('is completed with its annotations while its function ignores the signal', async () => {
    const scene = await startScene()
    const { done, runs } = await checkUntilTimeout(scene, async ({ annotate }, abort) => {
      annotate(annotation(1))
      abort()
      await expect.poll(() => scene.runs()).toMatchObject([{ ...timedOut, output: { annotations_count: 1 } }])
    })
    expect(done?.outcome).toBe('dead')
    expect(runs).toMatchObject([timedOut])
  })

  test('is completed if its time ends before the run of an earlier attempt is found', async () => {
    const scene = await startScene()
    await check(scene.hooks, () => Promise.reject(new Error('Broken')))
    const late = scene.others()
    late.on('pull_request', (delivery) => {
      const done = delivery.check('lint', async () => expect.unreachable())
      ;(delivery as unknown as ReceivedDelivery).abort(new DOMException('too late', 'TimeoutError'))
      return done
    })
    await run(late, 'pull_request', { payload: pullRequest(first) as never, attempt: 12 })
    await expect.poll(() => scene.runs()).toMatchObject([timedOut])
  })

  test('is completed if its time ends while GitHub creates the run', async () => {
    const { github, app, runs } = await startScene()
    const created = Promise.withResolvers<void>()
    const kit: { delivery?: ReceivedDelivery } = {}
    const slowFetch: typeof fetch = async (address, init) => {
      if (init?.method !== 'POST' || !String(address).endsWith('/check-runs')) return fetch(address, init)
      kit.delivery?.abort(new DOMException('too late', 'TimeoutError'))
      await created.promise
      return fetch(address, init)
    }
    const octokit = Octokit.defaults({ request: { fetch: slowFetch } })
    const settings = { validateSignature: false, logger: false, apiUrl: github.url, app, octokit } as const
    const hooks = new Hooks(settings)
    hooks.on('pull_request', (delivery) => {
      kit.delivery = delivery as unknown as ReceivedDelivery
      return delivery.check('lint', async () => expect.unreachable())
    })
    const done = run(hooks, 'pull_request', { payload: pullRequest(first) as never, attempt: 12 })
    await expect.poll(() => kit.delivery?.signal.aborted).toBe(true)
    created.resolve()
    expect(await done).toMatchObject([{ outcome: 'dead', error: { name: 'TimeoutError' } }])
    await expect.poll(() => runs()).toMatchObject([timedOut])
  })

  test('is cancelled if it was replaced by the check of a newer head', async () => {
    const scene = await startScene()
    await checkUntilTimeout(scene, async ({ signal }, abort) => {
      await push(scene.github, second)
      await check(scene.others(), async () => 'success', { payload: pullRequest(second) })
      expect(signal.aborted).toBe(true)
      abort()
    })
    await expect.poll(() => scene.runs()).toMatchObject([{ status: 'completed', conclusion: 'cancelled' }])
  })

  test.each([
    ['another attempt follows', { attempt: 1 }],
    ['the process stops, because the attempt is repeated', { reason: 'AbortError' }],
  ])('stays in progress if %s', async (_when, options) => {
    const scene = await startScene()
    const { runs } = await checkUntilTimeout(scene, stop, options)
    expect(runs).toMatchObject([{ status: 'in_progress' }])
    expect(requestsTo(scene.github).filter((one) => one.startsWith('PATCH'))).toEqual([])
  })

  test('is completed, too, by a worker', async () => {
    const { github, app, runs } = await startScene()
    const bot = await startBot(
      { apiUrl: github.url, app },
      ({ check }) => check('lint', () => new Promise<void>(() => {})),
      { attempts: 1, timeout: 1500 },
    )
    github.addHook({ app, url: bot.url, secret, events: ['pull_request'] })
    await github.deliver('pull_request.opened', pullRequest(first))
    expect(await attemptsFor(bot.inbox)).toMatchObject([{ outcome: 'dead' }])
    await expect.poll(() => runs()).toMatchObject([timedOut])
  })
})
