import { describe, expect, test } from 'vitest'
import { askAgainDelay } from '../../src/bots/stale-answer.ts'
import { type CheckWork, type Delivery, Hooks } from '../../src/index.ts'
import type { Json } from '../../src/runtime/json.ts'
import { run, sample } from '../../src/testing/index.ts'
import { attemptsFor, secret, startBot } from '../github/bot-scene.ts'
import { holdTimers } from '../timers.ts'
import { annotation, check, first, pullRequest, push, repository, second, startScene } from './check-scene.ts'

describe('a check', () => {
  test('is in progress while it runs, and then has the conclusion and the text of the result', async () => {
    const { hooks, runs } = await startScene()
    let during: Json[] = []
    const done = await check(hooks, async ({ id, headSha, update }) => {
      await update({ title: 'Half of it', summary: '1 of 2' })
      during = await runs()
      expect([id, headSha]).toEqual([during[0]?.id, first])
      return { conclusion: 'neutral', title: 'Done', summary: '2 of 2', text: 'Details' }
    })
    expect(done).toMatchObject({ outcome: 'succeeded', returned: 'neutral' })
    const output = { title: 'Half of it', summary: '1 of 2' }
    expect(during).toMatchObject([{ name: 'lint', head_sha: first, status: 'in_progress', conclusion: null, output }])
    expect(await runs()).toMatchObject([
      {
        ...{ id: during[0]?.id, status: 'completed', conclusion: 'neutral', completed_at: expect.any(String) },
        output: { title: 'Done', summary: '2 of 2', text: 'Details' },
      },
    ])
  })

  test('of two deliveries at the same time has one run', async () => {
    const { hooks, others, runs } = await startScene()
    const ids: number[] = []
    const both = Promise.withResolvers<void>()
    const work: CheckWork = async ({ id }) => {
      if (ids.push(id) === 2) both.resolve()
      await both.promise
    }
    const results = await Promise.all([check(hooks, work), check(others(), work)])
    expect(results.map((one) => one?.returned)).toEqual(['success', 'success'])
    expect(await runs()).toMatchObject([{ id: ids[0], conclusion: 'success' }])
    expect(ids[1]).toBe(ids[0])
  })

  test.each<[string, CheckWork, string, string]>([
    ['nothing', async () => {}, 'success', 'Passed'],
    ['a conclusion', async () => 'action_required', 'action_required', 'Action required'],
    ['a title', async () => ({ title: 'Fine' }), 'success', 'Fine'],
  ])('that returns %s succeeds or has this conclusion', async (_what, work, conclusion, title) => {
    const { hooks, runs } = await startScene()
    expect((await check(hooks, work))?.returned).toBe(conclusion)
    expect(await runs()).toMatchObject([{ conclusion, output: { title, summary: title } }])
  })

  test('with an annotation of a failure fails', async () => {
    const { hooks, runs } = await startScene()
    await check(hooks, async ({ annotate }) =>
      annotate(annotation(1), { ...annotation(2), annotation_level: 'failure' }),
    )
    expect(await runs()).toMatchObject([{ conclusion: 'failure', output: { annotations_count: 2 } }])
  })

  test.each([
    [0, [0]],
    [50, [50]],
    [51, [50, 1]],
    [130, [50, 50, 30]],
  ])('sends %i annotations in batches of %j', async (count, batches) => {
    const { github, hooks, runs } = await startScene()
    await check(hooks, async ({ annotate }) => {
      for (let number = 1; number <= count; number++) annotate(annotation(number))
    })
    const changes = github.requests.filter(({ method }) => method === 'PATCH').map(({ body }) => body as Json)
    expect(changes.map(({ output }) => (output as { annotations: [] }).annotations.length)).toEqual(batches)
    expect(changes.map(({ conclusion }) => conclusion)).toEqual([...batches.slice(1).map(() => undefined), 'success'])
    expect(await runs()).toMatchObject([{ output: { annotations_count: count } }])
  })

  test('changes annotations that GitHub would reject', async () => {
    const { github, hooks, runs } = await startScene()
    const texts = { title: 'x'.repeat(300), message: '語'.repeat(70_000), raw_details: '語'.repeat(70_000) }
    const columns = { start_column: 3, end_column: 5 }
    await check(hooks, async ({ annotate }) =>
      annotate(
        { ...annotation(1), ...texts },
        { ...annotation(2), ...columns, end_line: 9 },
        {
          ...annotation(3),
          ...columns,
        },
      ),
    )
    expect(await runs()).toMatchObject([{ conclusion: 'success', output: { annotations_count: 3 } }])
    const { output } = (github.requests.findLast(({ method }) => method === 'PATCH')?.body ?? {}) as Json
    const [long, wide, narrow] = (output as { annotations: Json[] }).annotations
    expect(long).toMatchObject({ title: expect.stringMatching(/^x+…$/), message: expect.stringMatching(/^語+…$/) })
    expect(wide).toEqual({ ...annotation(2), end_line: 9 })
    expect(narrow).toEqual({ ...annotation(3), ...columns })
  })

  test('truncates a text that GitHub would reject', async () => {
    const { hooks, runs } = await startScene()
    await check(hooks, async () => ({ summary: 'x'.repeat(70_000), text: 'y'.repeat(65_535) }))
    const [{ output }] = (await runs()) as unknown as [{ output: { summary: string; text: string } }]
    const { summary, text } = output
    expect([summary.length, summary.at(-1), text.length, text.at(-1)]).toEqual([65_535, '…', 65_535, 'y'])
  })

  test('is not cut in the middle of an emoji', async () => {
    const { hooks, runs } = await startScene()
    await check(hooks, async () => ({ summary: `${'x'.repeat(65_533)}🎉🎉` }))
    const [{ output }] = (await runs()) as unknown as [{ output: { summary: string } }]
    expect(output.summary).toBe(`${'x'.repeat(65_533)}…`)
  })

  test('has the page of the application', async () => {
    const { hooks, runs } = await startScene()
    hooks.on('pull_request', ({ check }) =>
      check({ name: 'docs', headSha: second, detailsUrl: 'https://bot.example/1' }, async () => 'success'),
    )
    await run(hooks, 'pull_request', { payload: pullRequest(first) as never })
    expect(await runs(second)).toMatchObject([{ name: 'docs', details_url: 'https://bot.example/1' }])
  })

  test.each([
    ['push', { after: first }],
    ['push', { ref: 'refs/tags/v1', after: second, head_commit: { id: first } }],
    ['check_suite', { check_suite: { head_sha: first } }],
    ['check_run', { check_run: { head_sha: first } }],
    ['workflow_run', { workflow_run: { head_sha: first } }],
    ['merge_group', { merge_group: { head_sha: first } }],
  ])('of a delivery of %s is for its head commit', async (event, more) => {
    const { hooks, runs } = await startScene()
    const { pull_request: _pull, ...payload } = pullRequest(first)
    await check(hooks, async () => 'success', { event, payload: { ...payload, ...more } })
    expect(await runs()).toMatchObject([{ name: 'lint', conclusion: 'success' }])
  })
})

describe('a check of an older head', () => {
  const cancelled = { conclusion: 'cancelled', output: { title: 'Cancelled: the pull request has a newer commit' } }
  const obsolete = 'The check "lint" of aaaaaaa is obsolete: the pull request has a newer head'

  test('is cancelled when it ends, and its delivery is discarded', async () => {
    const { github, hooks, runs } = await startScene()
    const done = await check(hooks, async () => {
      await push(github, second)
      return 'success'
    })
    expect(done).toMatchObject({ outcome: 'discarded', error: { message: obsolete } })
    expect(await runs()).toMatchObject([cancelled])
  })

  test('is cancelled when it fails', async () => {
    const { github, hooks, runs } = await startScene()
    const done = await check(hooks, async () => {
      await push(github, second)
      throw new Error('Broken')
    })
    expect(done).toMatchObject({ outcome: 'discarded', error: { message: obsolete } })
    expect(await runs()).toMatchObject([cancelled])
  })

  test('has a signal that aborts when the check of the newer head starts', async () => {
    const { github, hooks, others, runs } = await startScene()
    const started = Promise.withResolvers<void>()
    const older = check(hooks, async ({ signal }) => {
      started.resolve()
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    await started.promise
    await push(github, second)
    const newer = await check(others(), async () => 'success', { payload: pullRequest(second) })
    expect(newer).toMatchObject({ outcome: 'succeeded' })
    expect(await older).toMatchObject({ outcome: 'discarded', error: { message: obsolete } })
    expect([await runs(), await runs(second)]).toMatchObject([[cancelled], [{ conclusion: 'success' }]])
  })

  test('does not start again in a retry', async () => {
    const { github, hooks, runs } = await startScene()
    await check(hooks, async () => {
      throw new Error('Broken')
    })
    await push(github, second)
    const work = async () => expect.unreachable()
    expect(await check(hooks, work, { attempt: 2 })).toMatchObject({
      outcome: 'discarded',
      error: { message: obsolete },
    })
    expect(await runs()).toMatchObject([cancelled])
  })

  test('that arrives late does not end the check of the newer head', async () => {
    const { github, hooks, others, runs } = await startScene()
    await push(github, second)
    const started = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    const newer = check(
      hooks,
      async () => {
        started.resolve()
        await go.promise
        return 'success'
      },
      { payload: pullRequest(second) },
    )
    await started.promise
    const older = await check(others(), async () => expect.unreachable())
    expect(older).toMatchObject({ outcome: 'discarded', error: { message: obsolete } })
    go.resolve()
    expect(await newer).toMatchObject({ outcome: 'succeeded', returned: 'success' })
    expect(await runs()).toEqual([])
  })
})

describe('a check while GitHub still shows the head before the push', () => {
  /**
   * Two checks at once: that of the first head, which runs until `go`, and that of the second one. A check whose head is
   * not the one that GitHub shows asks once more after `askAgain`.
   */
  async function startBoth() {
    const scene = await startScene()
    const { github, hooks, others } = scene
    github.headLag = 60_000
    const [started, go, askAgain] = [
      Promise.withResolvers<void>(),
      Promise.withResolvers<void>(),
      Promise.withResolvers<void>(),
    ]
    holdTimers(askAgainDelay, askAgain.promise)
    const older = check(hooks, async () => {
      started.resolve()
      await go.promise
      return 'success'
    })
    await started.promise
    const asked = github.requests.length
    const newer = check(others(), async () => 'success', { payload: await push(github, second) })
    const isPull = ({ method, path, status }: { method: string; path: string; status: number }) =>
      method === 'GET' && path.endsWith('/pulls/7') && status === 200
    const pull = () => github.requests.slice(asked).filter(isPull)
    await expect.poll(pull).toHaveLength(1)
    return { ...scene, older, newer, go, askAgain }
  }

  test('waits, and replaces the check of the old head once GitHub shows the new one', async () => {
    const { github, older, newer, go, askAgain, runs } = await startBoth()
    github.clock.advance(60_000)
    askAgain.resolve()
    expect(await newer).toMatchObject({ outcome: 'succeeded' })
    go.resolve()
    expect(await older).toMatchObject({ outcome: 'discarded' })
    expect([await runs(), await runs(second)]).toMatchObject([
      [{ conclusion: 'cancelled' }],
      [{ conclusion: 'success' }],
    ])
  })

  test('completes, even if GitHub shows the old head for longer', async () => {
    const { older, newer, go, askAgain, runs } = await startBoth()
    askAgain.resolve()
    expect(await newer).toMatchObject({ outcome: 'succeeded' })
    go.resolve()
    expect(await older).toMatchObject({ outcome: 'succeeded' })
    expect([await runs(), await runs(second)]).toMatchObject([[{ conclusion: 'success' }], [{ conclusion: 'success' }]])
  })

  test('completes if the time of the answer is before that of the delivery', async () => {
    holdTimers(askAgainDelay, Promise.resolve())
    const { hooks, runs } = await startScene()
    const { pull_request: pull, ...payload } = pullRequest(second, 'reopened')
    const done = await check(hooks, async () => 'success', {
      payload: { ...payload, pull_request: { ...pull, updated_at: '2999-01-01T00:00:00Z' } },
    })
    expect(done).toMatchObject({ outcome: 'succeeded' })
    expect(await runs(second)).toMatchObject([{ conclusion: 'success' }])
  })

  test('is cancelled if the branch is later reset to the head before the push', async () => {
    const { github, hooks, runs } = await startScene()
    const { pull_request: pull, ...payload } = await push(github, second)
    const updated_at = new Date(github.clock.now()).toISOString()
    const done = await check(
      hooks,
      async () => {
        github.clock.advance(2000)
        await push(github, first, second)
        return 'success'
      },
      { payload: { ...payload, pull_request: { ...pull, updated_at } } },
    )
    expect(done).toMatchObject({ outcome: 'discarded' })
    expect(await runs(second)).toMatchObject([{ conclusion: 'cancelled' }])
  })
})

describe('delivery.check() rejects', () => {
  test.each<[string, unknown[], string]>([
    ['no name', ['', () => {}], "delivery.check() needs the name of the check: check('lint', …)"],
    ['no options', [undefined, () => {}], "delivery.check() needs the name of the check: check('lint', …)"],
    ['no function', ['lint'], "delivery.check('lint', …) needs a function"],
  ])('%s', async (_what, given, message) => {
    const { hooks } = await startScene()
    hooks.on('push', ({ check }) => (check as (...given: unknown[]) => unknown)(...given))
    const [done] = await run(hooks, 'push', {
      payload: { repository: { full_name: repository }, after: first } as never,
    })
    expect(done?.error).toEqual(new TypeError(message))
  })

  test.each<[string, Json]>([
    ['issues.opened', { action: 'opened' }],
    ['push', { after: '0'.repeat(40), deleted: true }],
  ])('a delivery of %s without a head commit', async (name, more) => {
    const { hooks } = await startScene()
    const payload = { repository: { full_name: repository }, ...more }
    const done = await check(hooks, async () => {}, { event: name.split('.')[0] as string, payload })
    const message = `delivery.check(): the payload of ${name} has no head commit; name the commit: check({ name, headSha }, …)`
    expect(done?.error).toEqual(new TypeError(message))
  })

  test('a caller that is no App, and names the option', async () => {
    const { github } = await startScene()
    const options = { validateSignature: false, logger: false as const, apiUrl: github.url, token: github.addToken() }
    const done = await check(new Hooks(options), async () => {})
    expect(done?.error).toMatchObject({
      ...{ status: 403, message: expect.stringMatching(/set the option "app" .* "Checks: write" .*GitHub App/) },
    })
  })
})

test('works with an inbox: the attempt that fails is retried, and completes the run', async () => {
  const { github, app, runs } = await startScene()
  const failOnce = async ({ check, attempt }: Delivery) =>
    check('lint', async () => {
      if (attempt === 1) throw new Error('No connection')
      return 'success'
    })
  const bot = await startBot({ apiUrl: github.url, app }, failOnce, { backoff: '1ms' })
  github.addHook({ app, url: bot.url, secret, events: ['pull_request'] })
  await github.deliver('pull_request.opened', { ...sample('pull_request.opened'), ...pullRequest(first) })
  const attempts = await attemptsFor(bot.inbox, 1, 2)
  expect(attempts.map(({ outcome }) => outcome).toSorted()).toEqual(['failed', 'succeeded'])
  expect(await runs()).toMatchObject([{ conclusion: 'success' }])
})
