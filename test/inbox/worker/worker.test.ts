import { setImmediate } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Delivery } from '../../../src/delivery.ts'
import type { AvailableWork, MatchedTask, Store } from '../../../src/inbox/inbox.ts'
import { Worker } from '../../../src/inbox/worker/worker.ts'
import { sqlite } from '../../../src/sqlite/index.ts'
import { Discard, Retry } from '../../../src/thrown.ts'
import { demandingPayload, Host } from '../fixtures.ts'
import {
  detailIn,
  eventually,
  inboxFile,
  openInbox,
  stateIn,
  storeIn,
  taskIn,
  withMembers,
  withoutPolling,
} from '../stores.ts'

/** A started worker, which is stopped at the end of the test. */
function startWorker(inbox: Store, host: Host): Worker {
  const worker = new Worker(inbox, host)
  onTestFinished(() => worker.stop(0))
  worker.start()
  return worker
}

const reaches = (inbox: Store, id: number, state: string) =>
  expect.poll(() => stateIn(inbox, id), { interval: 5 }).toBe(state)

/** Some turns of the event loop, in which an unwanted effect would appear. */
async function turns(): Promise<void> {
  for (let i = 0; i < 50; i++) await setImmediate()
}

describe('a worker', () => {
  test('handles the stored deliveries in order of receipt', async () => {
    const inbox = withoutPolling(openInbox())
    const seen: unknown[] = []
    const host = new Host().on('push', { concurrency: 1 }, ({ payload }) => void seen.push(payload.n))
    const ids = [await storeIn(inbox, { n: 1 }), await storeIn(inbox, { n: 2 }), await storeIn(inbox, { n: 3 })]
    startWorker(inbox, host)
    for (const id of ids) await reaches(inbox, id, 'done')
    expect(seen).toEqual([1, 2, 3])
  })

  test('handles a new delivery when it is woken, before the next poll', async () => {
    const inbox = withoutPolling(openInbox())
    const handled = vi.fn()
    const worker = startWorker(inbox, new Host().on('push', handled))
    for (const times of [1, 2, 3]) {
      const id = await storeIn(inbox)
      worker.wake()
      await reaches(inbox, id, 'done')
      expect(handled).toHaveBeenCalledTimes(times)
    }
  })

  test('with many handlers claims only the tasks of those that have due tasks', async () => {
    const inbox = openInbox()
    const claim = vi.fn(inbox.claim)
    const dueHandlers = vi.fn(inbox.dueHandlers)
    const host = new Host()
    for (let n = 0; n < 150; n++) host.on('push', { name: `handler ${n}` }, () => {})
    const worker = await inbox.registerWorker([])
    const match = async () => ({ matched: 0, claimed: [] }) // another worker matches the delivery below
    startWorker(withMembers(inbox, { claim, dueHandlers, match }), host)
    await expect.poll(() => dueHandlers.mock.calls.length).toBeGreaterThan(2)
    expect(claim).not.toHaveBeenCalled()
    const id = await storeIn(inbox)
    const offer = { limit: 1, bytes: 1e6, ordered: false, now: Date.now() }
    await inbox.match(worker, offer, () => [{ id, summary: {}, tasks: [{ handler: 'handler 7', claim: false }] }])
    await reaches(inbox, id, 'done')
    expect(claim.mock.calls.map(([, { wanted }]) => wanted)).toEqual([{ 'handler 7': 25 }])
  })

  test('leaves tasks of other sources to the program that handles these', async () => {
    const inbox = openInbox()
    const other = await inbox.registerWorker([])
    const ids = [await storeIn(inbox, {}, { source: '/b' }), await storeIn(inbox, {}, { source: '/a' })]
    const offer = { limit: 2, bytes: 1e6, ordered: false, now: Date.now() }
    const tasks = [{ handler: 'on:push', claim: false }]
    await inbox.match(other, offer, () => ids.map((id) => ({ id, summary: {}, tasks })))
    startWorker(
      inbox,
      Object.assign(
        new Host().on('push', { name: 'on:push' }, () => {}),
        { sources: ['/a'] },
      ),
    )
    await reaches(inbox, ids[1] as number, 'done')
    expect(await stateIn(inbox, ids[0] as number)).toBe('pending')
  })

  test('polls for deliveries that another process stores', async () => {
    const path = inboxFile()
    const [inbox, other] = [openInbox(path), openInbox(path)]
    startWorker(
      inbox,
      new Host().on('push', () => 'pong'),
    )
    await reaches(other, await storeIn(other), 'done')
    await reaches(other, await storeIn(other), 'done')
  })

  test('handles the work of other processes when the inbox signals it', async () => {
    const path = inboxFile()
    const [inbox, other] = [openInbox(path), openInbox(path)]
    const onWorkOf = Promise.withResolvers<(work: AvailableWork) => void>()
    const registerWorker: Store['registerWorker'] = (handlers, onWork = () => {}) => {
      onWorkOf.resolve(onWork)
      return inbox.registerWorker(handlers)
    }
    const fails = vi.fn().mockRejectedValueOnce(new Error('down'))
    startWorker(
      withMembers(withoutPolling(inbox), { registerWorker }),
      new Host().on('push', { backoff: 3_600_000 }, fails),
    )
    const signal = await onWorkOf.promise
    await turns()
    const id = await storeIn(other)
    signal('unmatched')
    await reaches(other, id, 'retrying')
    await turns()
    expect(await other.retry({ ids: [id] })).toBe(1)
    signal('due')
    await reaches(other, id, 'done')
  })

  test('without any handler waits for one, unless capture is on', async () => {
    const [inbox, waiting] = [openInbox(), openInbox()]
    const host = new Host()
    host.withoutHandlers = 'ignore'
    startWorker(inbox, host)
    startWorker(waiting, new Host())
    const left = await storeIn(waiting)
    await reaches(inbox, await storeIn(inbox), 'ignored')
    expect(await stateIn(waiting, left)).toBe('pending')
  })

  test('ignores a delivery that no handler matches', async () => {
    const inbox = openInbox()
    startWorker(
      inbox,
      new Host().on('push', () => {}),
    )
    await reaches(inbox, await storeIn(inbox, {}, { event: 'fork' }), 'ignored')
  })

  test('retries a handler until it succeeds, and records each attempt', async () => {
    const inbox = openInbox()
    const attempts: number[] = []
    const host = new Host().on('push', ({ attempt, log }) => {
      log.info({ attempt }, 'trying')
      if (attempts.push(attempt) < 3) throw new Retry({ after: 0, message: 'not yet' })
      return { after: attempts.length }
    })
    const id = await storeIn(inbox)
    startWorker(inbox, host)
    await reaches(inbox, id, 'done')
    expect(attempts).toEqual([1, 2, 3])
    const { attempts: recorded } = await taskIn(inbox, id, 'on:push')
    expect(recorded).toMatchObject([
      { number: 1, outcome: 'failed', error: expect.stringMatching(/^Retry: not yet\n/), result: undefined },
      { number: 2, outcome: 'failed' },
      { number: 3, outcome: 'succeeded', error: undefined, result: '{"after":3}' },
    ])
    for (const { startedAt, duration, log } of recorded) {
      expect([startedAt, duration]).toEqual([expect.any(Number), expect.any(Number)])
      expect(log).toMatch(/^\S+ info trying {"attempt":\d}\n$/)
    }
    expect(host.errors).toHaveLength(2)
    expect(host.dead).toEqual([])
  })

  test('waits for the backoff of the handler', async () => {
    const inbox = openInbox()
    const host = new Host().on('push', { backoff: 3_600_000 }, () => Promise.reject(new Error('down')))
    const id = await storeIn(inbox)
    startWorker(inbox, host)
    await reaches(inbox, id, 'retrying')
    const { nextAttemptAt, attempts } = await taskIn(inbox, id, 'on:push')
    const { startedAt = 0, duration = 0 } = attempts[0] ?? {}
    expect(nextAttemptAt).toBeGreaterThanOrEqual(startedAt + duration + 1_800_000 - 5)
    expect(nextAttemptAt).toBeLessThanOrEqual(startedAt + duration + 3_600_000 + 5)
  })

  test('starts tasks that become due by its own retries and orders, without waiting for the next poll', async () => {
    const inbox = withoutPolling(openInbox())
    const again = vi.fn().mockRejectedValueOnce(new Retry({ after: 0 }))
    const ordered = vi.fn()
    const host = new Host().on('push', again).on('*', { order: () => 'one' }, ordered)
    const ids = [await storeIn(inbox, { n: 1 }), await storeIn(inbox, { n: 2 }), await storeIn(inbox, { n: 3 })]
    startWorker(inbox, host)
    for (const id of ids) await reaches(inbox, id, 'done')
    expect([again.mock.calls.length, ordered.mock.calls.length]).toEqual([4, 3])
  })

  test('retries only handlers that have not succeeded', async () => {
    const inbox = openInbox()
    const good = vi.fn()
    const bad = vi.fn().mockRejectedValueOnce(new Retry({ after: 0 }))
    const id = await storeIn(inbox)
    startWorker(inbox, new Host().on('push', good).on('*', bad))
    await reaches(inbox, id, 'done')
    expect([good.mock.calls.length, bad.mock.calls.length]).toEqual([1, 2])
  })

  test('claims due tasks by its own clock', async () => {
    const inbox = openInbox()
    let now = 1_000_000
    const handled = vi.fn().mockRejectedValueOnce(new Retry({ after: 5000 }))
    const worker = new Worker(inbox, new Host().on('push', handled), { now: () => now })
    onTestFinished(() => worker.stop(0))
    worker.start()
    const id = await storeIn(inbox)
    await reaches(inbox, id, 'retrying')
    expect(await detailIn(inbox, id)).toMatchObject({ nextAttemptAt: 1_005_000 })
    now = 1_005_000
    await reaches(inbox, id, 'done')
  })

  test('starts once even though it is called again', async () => {
    const inbox = openInbox()
    const registerWorker = vi.fn((...given: Parameters<Store['registerWorker']>) => inbox.registerWorker(...given))
    const worker = startWorker(
      withMembers(inbox, { registerWorker }),
      new Host().on('push', () => {}),
    )
    worker.start()
    await reaches(inbox, await storeIn(inbox), 'done')
    const policies = [{ name: 'on:push', backoff: 5000, timeout: 900_000, attempts: 12 }]
    expect(registerWorker).toHaveBeenCalledExactlyOnceWith(policies, expect.any(Function), expect.any(Function))
  })
})

describe('a delivery that a handler gets', () => {
  test('is as it was stored', async () => {
    const inbox = openInbox()
    const seen = Promise.withResolvers<Delivery>()
    const payload = { action: 'opened', repository: { full_name: 'acme/site' }, sender: { login: 'ada' } }
    const headers = { 'x-github-hook-id': '42', 'user-agent': 'GitHub-Hookshot/1' }
    const more = { headers, guid: 'g', event: 'issues', source: '/other', secretId: 'one', secretIndex: 3 }
    await storeIn(inbox, payload, { ...more, receivedAt: 1_700_000_000_000, pulled: true })
    startWorker(
      inbox,
      new Host().on('issues.opened', (delivery) => seen.resolve(delivery)),
    )
    const delivery = await seen.promise
    expect(delivery.payload).toEqual(payload)
    expect(delivery).toMatchObject({
      guid: 'g',
      event: 'issues',
      action: 'opened',
      headers,
      hookId: '42',
      source: '/other',
    })
    expect(delivery).toMatchObject({ repository: 'acme/site', sender: 'ada', secretId: 'one', secretIndex: 3 })
    expect(delivery).toMatchObject({
      attempt: 1,
      pulled: true,
      redelivered: false,
      replayed: false,
      conflict: false,
    })
    expect(delivery.receivedAt).toEqual(new Date(1_700_000_000_000))
    expect(delivery.signal.aborted).toBe(false)
  })

  test('is flagged as redelivered, conflicting or replayed', async () => {
    const inbox = openInbox()
    const seen: Record<string, unknown> = {}
    const host = new Host().on('*', ({ payload, guid, redelivered, conflict, replayed }) => {
      seen[`${guid} ${payload.n}`] = { redelivered, conflict, replayed }
    })
    const ids = [await storeIn(inbox, { n: 1 }, { guid: 'a' })]
    await storeIn(inbox, { n: 1 }, { guid: 'a' })
    ids.push(await storeIn(inbox, { n: 2 }, { guid: 'a' }), await storeIn(inbox, { n: 1 }, { guid: 'b' }))
    startWorker(inbox, host)
    for (const id of ids) await reaches(inbox, id, 'done')
    const none = { redelivered: false, conflict: false, replayed: false }
    expect(seen).toEqual({
      'a 1': { ...none, redelivered: true },
      'a 2': { ...none, conflict: true },
      'b 1': { ...none, replayed: true },
    })
  })

  test('is not a replay if replays is discard', async () => {
    const inbox = openInbox()
    const handled = vi.fn()
    const host = new Host().on('*', handled)
    host.replays = 'discard'
    const ids = [await storeIn(inbox, { n: 1 }), await storeIn(inbox, { n: 1 })]
    startWorker(inbox, host)
    await reaches(inbox, ids[0] as number, 'done')
    await reaches(inbox, ids[1] as number, 'discarded')
    expect(handled).toHaveBeenCalledTimes(1)
  })
})

describe('the concurrency of a handler', () => {
  test('leaves tasks that were claimed ahead to other workers if the handler becomes slow', async () => {
    const inbox = openInbox()
    const { promise: later, resolve } = Promise.withResolvers<void>()
    let soon = Promise.withResolvers<void>()
    let calls = 0
    const host = new Host().on('push', { concurrency: 5 }, () => (calls++ < 30 ? soon.promise : later))
    const ids: number[] = []
    for (let n = 0; n < 60; n++) ids.push(await storeIn(inbox))
    const worker = startWorker(inbox, host)
    for (let done = 0; done < 30; done += 5) {
      await eventually(async () => expect((await inbox.overview()).states).toMatchObject({ done, running: 5 }))
      await eventually(() => expect(calls).toBe(done + 5)) // a claimed task runs before its handler is called
      const ending = soon
      soon = Promise.withResolvers()
      ending.resolve() // five tasks end together, so the next round claims five ahead
    }
    await expect.poll(async () => (await inbox.overview()).states).toMatchObject({ done: 30, running: 5, pending: 25 })
    resolve()
    for (const id of ids) await reaches(inbox, id, 'done')
    expect(worker.held).toEqual({ slots: 0, bytes: 0 })
    const details = await Promise.all(ids.map((id) => detailIn(inbox, id)))
    const outcomes = details.flatMap(({ tasks }) =>
      tasks.flatMap(({ attempts }) => attempts.map(({ outcome }) => outcome)),
    )
    expect(outcomes).toContain('released') // by the worker, after it had claimed tasks ahead
    expect(outcomes.filter((outcome) => outcome === 'succeeded')).toHaveLength(60)
  })

  test.each([
    ['some of the tasks ahead, whose attempts the store does not count yet', undefined],
    ['no task ahead if the handler has one attempt', 1],
  ])('lets a worker claim %s', async (_what, attempts) => {
    const inbox = openInbox()
    const matched: MatchedTask[] = []
    const wanted: [all: number, ahead: number][] = []
    const observed = withMembers(inbox, {
      match: (worker, offer, decide) =>
        inbox.match(worker, offer, async (offered) => {
          const matches = await decide(offered)
          matched.push(...matches.flatMap(({ tasks }) => tasks))
          return matches
        }),
      claim: (worker, request) => {
        wanted.push([request.wanted['on:push'] ?? 0, request.ahead?.['on:push'] ?? 0])
        return inbox.claim(worker, request)
      },
    })
    for (let n = 0; n < 40; n++) await storeIn(inbox, { n })
    startWorker(
      observed,
      new Host().on('push', { concurrency: 5, ...(attempts && { attempts }) }, () => undefined),
    )
    await expect.poll(async () => (await inbox.overview()).states).toMatchObject({ done: 40 })
    const claimsAhead = wanted.some(([, ahead]) => ahead > 0) || matched.some(({ ahead }) => ahead)
    expect(claimsAhead).toBe(attempts === undefined)
    expect(wanted.every(([all, ahead]) => all - ahead <= 5)).toBe(true)
  })

  test('is never exceeded, and fully used', async () => {
    const inbox = openInbox()
    const gates: PromiseWithResolvers<void>[] = []
    let [inside, most] = [0, 0]
    const host = new Host().on('push', { concurrency: 3 }, async () => {
      most = Math.max(most, ++inside)
      const gate = Promise.withResolvers<void>()
      gates.push(gate)
      await gate.promise
      inside--
    })
    const ids = await Promise.all(Array.from({ length: 10 }, () => storeIn(inbox)))
    startWorker(inbox, host)
    for (let started = 3; started <= 10; started++) {
      await expect.poll(() => gates.length, { interval: 5 }).toBe(started)
      await turns()
      expect([gates.length, inside]).toEqual([started, 3])
      gates[started - 3]?.resolve()
    }
    for (const gate of gates) gate.resolve()
    for (const id of ids) await reaches(inbox, id, 'done')
    expect(most).toBe(3)
  })

  test('does not delay other handlers', async () => {
    const inbox = openInbox()
    const { promise, resolve } = Promise.withResolvers<void>()
    const quick = vi.fn()
    startWorker(inbox, new Host().on('push', { concurrency: 1 }, () => promise).on('*', quick))
    const ids = await Promise.all(Array.from({ length: 30 }, () => storeIn(inbox)))
    await expect.poll(() => quick.mock.calls.length, { interval: 5 }).toBe(30)
    resolve()
    for (const id of ids) await reaches(inbox, id, 'done')
  })

  test('counts a handler that ignores its signal until it settles', async () => {
    const inbox = openInbox()
    const started: string[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const handler = ({ guid }: Delivery) => {
      started.push(guid)
      return guid === 'stuck' ? promise : undefined
    }
    const host = new Host().on('push', { concurrency: 1, timeout: 10, attempts: 1 }, handler)
    const stuck = await storeIn(inbox, { n: 1 }, { guid: 'stuck' })
    const next = await storeIn(inbox, { n: 2 }, { guid: 'next' })
    startWorker(inbox, host)
    await reaches(inbox, stuck, 'dead')
    await turns()
    expect(started).toEqual(['stuck'])
    resolve()
    await reaches(inbox, next, 'done')
    expect(started).toEqual(['stuck', 'next'])
  })
})

describe('memory', () => {
  const MiB = 1024 * 1024
  const large = demandingPayload(92 * MiB)

  test('is limited: while handlers hold it, no other large payload is parsed', async () => {
    const inbox = openInbox()
    const started: string[] = []
    const gates = new Map<string, PromiseWithResolvers<void>>()
    const host = new Host().on('push', ({ guid }) => {
      started.push(guid)
      const gate = Promise.withResolvers<void>()
      gates.set(guid, gate)
      return gate.promise
    })
    host.payloadMemory = 400 * MiB
    const ids: number[] = []
    for (const n of [1, 2, 3, 4, 5]) ids.push(await storeIn(inbox, { n, ...large }, { guid: `${n}` }))
    startWorker(inbox, host)
    await eventually(() => expect(started).toEqual(['1', '2', '3']))
    const whenIdle = vi.spyOn(host, 'whenIdle')
    await eventually(() => expect(whenIdle.mock.calls.length).toBeGreaterThan(4)) // the worker has polled again
    expect(started).toHaveLength(3)
    for (const guid of ['1', '2', '3', '4', '5']) {
      await eventually(() => expect(gates.has(guid)).toBe(true))
      gates.get(guid)?.resolve()
    }
    for (const id of ids) await reaches(inbox, id, 'done')
  })

  test('is reserved for small payloads: they are handled while large ones wait', async () => {
    const inbox = openInbox()
    const { promise, resolve } = Promise.withResolvers<void>()
    const host = new Host().on('push', () => promise).on('fork', () => {})
    host.payloadMemory = 100 * MiB
    const ids = [await storeIn(inbox, large), await storeIn(inbox, large)]
    startWorker(inbox, host)
    await reaches(inbox, ids[0] as number, 'running')
    for (const n of [1, 2, 3]) await reaches(inbox, await storeIn(inbox, { n }, { event: 'fork' }), 'done')
    await reaches(inbox, await storeIn(inbox, { n: 4 }), 'running') // has the same handler as the large payloads
    expect(await stateIn(inbox, ids[1] as number)).toBe('pending')
    resolve()
    for (const id of ids) await reaches(inbox, id, 'done')
  })

  test('is released at the timeout of a handler that never ends, and the worker reports the handler', async () => {
    const inbox = openInbox()
    const { promise, resolve } = Promise.withResolvers<void>()
    const host = new Host().on('push', { timeout: 50, attempts: 1 }, () => promise).on('fork', () => {})
    host.payloadMemory = 100 * MiB
    const stuck = await storeIn(inbox, large)
    const next = await storeIn(inbox, large, { event: 'fork' })
    startWorker(inbox, host)
    await reaches(inbox, stuck, 'dead')
    await reaches(inbox, next, 'done')
    const warning = expect.stringContaining('Handler on:push still runs after its attempt has ended')
    await eventually(() => expect(host.recorder.messages).toContainEqual(warning))
    resolve()
  })
})

describe('an order', () => {
  test('runs tasks with the same key one at a time, in order of receipt, and other tasks meanwhile', async () => {
    const inbox = openInbox()
    const inside = new Map<string, number>()
    const seen: Record<string, number[]> = { 'acme/a': [], 'acme/b': [] }
    const together = vi.fn()
    const host = new Host().on(
      'push',
      { order: 'repository' },
      async ({ payload, repository = '', attempt }: Delivery) => {
        inside.set(repository, (inside.get(repository) ?? 0) + 1)
        if ((inside.get(repository) ?? 0) > 1) together()
        await setImmediate()
        inside.set(repository, (inside.get(repository) ?? 0) - 1)
        if (Number(payload.n) % 5 === 0 && attempt < 2) throw new Retry({ after: 0 }) // keeps its place in the order
        seen[repository]?.push(Number(payload.n))
      },
    )
    const ids: number[] = []
    for (let n = 0; n < 20; n++) {
      ids.push(await storeIn(inbox, { n, repository: { full_name: n % 2 ? 'acme/a' : 'acme/b' } }))
    }
    startWorker(inbox, host)
    for (const id of ids) await reaches(inbox, id, 'done')
    expect(together).not.toHaveBeenCalled()
    expect(seen).toEqual({
      'acme/a': [1, 3, 5, 7, 9, 11, 13, 15, 17, 19],
      'acme/b': [0, 2, 4, 6, 8, 10, 12, 14, 16, 18],
    })
  })

  test('runs the stored tasks of a key without waiting for polls after a program has removed the option', async () => {
    const inbox = withoutPolling(openInbox())
    const before = new Worker(
      inbox,
      new Host().on('push', { order: () => 'one' }, () => {}),
    )
    const ids = [await storeIn(inbox, { n: 1 }), await storeIn(inbox, { n: 2 }), await storeIn(inbox, { n: 3 })]
    await inbox.pause('on:push')
    await before.drain()
    for (const id of ids) expect((await taskIn(inbox, id, 'on:push')).key).toBe('one')

    const claim = vi.fn((...given: Parameters<Store['claim']>) => inbox.claim(...given))
    const seen: unknown[] = []
    await inbox.resume('on:push')
    startWorker(
      withMembers(inbox, { claim }),
      new Host().on('push', ({ payload }) => void seen.push(payload.n)),
    )
    for (const id of ids) await reaches(inbox, id, 'done')
    expect(seen).toEqual([1, 2, 3])
    const claimed = await Promise.all(claim.mock.results.map(({ value }) => value))
    expect(claimed.flat()).toHaveLength(1) // the results of the first two tasks claimed the others
  })

  test('continues when the first task is dead or discarded', async () => {
    const inbox = openInbox()
    const handler = ({ payload }: Delivery) => {
      if (payload.end === 'dead') throw new Error('dead')
      if (payload.end === 'discarded') throw new Discard('not ours')
    }
    startWorker(inbox, new Host().on('push', { order: () => 'one', attempts: 1 }, handler))
    const ends = ['dead', 'discarded', 'done']
    const ids = [
      await storeIn(inbox, { end: 'dead' }),
      await storeIn(inbox, { end: 'discarded' }),
      await storeIn(inbox),
    ]
    for (const [index, id] of ids.entries()) await reaches(inbox, id, ends[index] as string)
  })
})

test('keeps a failed task when its delivery is retried while the program with its handler restarts', async () => {
  const inbox = openInbox()
  let fails = true
  const program = () =>
    new Host().on('push', { name: 'restarts', attempts: 1 }, () => {
      if (fails) throw new Error('down')
    })
  const id = await storeIn(inbox)
  await new Worker(inbox, program()).drain()
  expect(await stateIn(inbox, id)).toBe('dead')
  fails = false
  await inbox.retry({ ids: [id] })
  const other = new Host().on('push', { name: 'other' }, () => {})
  await new Worker(inbox, other).drain()
  expect(await stateIn(inbox, id)).toBe('pending')
  await new Worker(inbox, program()).drain()
  expect(await detailIn(inbox, id)).toMatchObject({ state: 'done', reason: undefined })
  expect(other.recorder.lines).toEqual([])
})

test('logs the tasks that a match has ended as gone, and the delivery shows the reason', async () => {
  const inbox = openInbox()
  const id = await storeIn(inbox)
  const failing = () => {
    throw new Error('down')
  }
  const before = new Host().on('push', { name: 'changed', attempts: 1 }, failing).on('push', { name: 'same' }, () => {})
  await new Worker(inbox, before).drain()
  await inbox.retry({ ids: [id] })
  const host = new Host().on('issues', { name: 'changed' }, () => {}).on('push', { name: 'same' }, () => {})
  await new Worker(inbox, host).drain()
  expect(await detailIn(inbox, id)).toMatchObject({
    state: 'done',
    reason: 'The task of changed ended as gone, because this handler no longer matches the delivery',
  })
  const message =
    'Ended 1 task of handler changed as gone, because the handler no longer matches, and their deliveries were made to run again'
  expect(host.recorder.lines).toEqual([{ level: 'warn', fields: { handler: 'changed', count: 1 }, message }])
})

test('logs the tasks that the store has ended as gone, with what to do', async () => {
  const inbox = sqlite(inboxFile(), { heartbeat: '20ms', vanishAfter: '1ms' })
  onTestFinished(() => inbox.close())
  const before = new Worker(
    inbox,
    new Host().on('push', { name: 'removed' }, () => {}).on('push', () => {}),
  )
  const id = await storeIn(inbox)
  await inbox.pause('removed')
  await before.drain()
  const host = new Host().on('push', () => {})
  startWorker(inbox, host)
  const message =
    'Ended 1 due task of handler removed as gone, because no worker had registered this handler for the time ' +
    '"vanishAfter": to run them, register the handler again and retry it for the deliveries that the search is:gone finds'
  await eventually(() => {
    expect(host.recorder.lines).toEqual([{ level: 'warn', fields: { handler: 'removed', count: 1 }, message }])
  })
  expect(await detailIn(inbox, id)).toMatchObject({ state: 'done', reason: expect.stringContaining('ended as gone') })
})

describe('requests', () => {
  test('come first: the worker makes no query until they are answered', async () => {
    const inbox = openInbox()
    const host = new Host().on('push', () => {})
    const [idle, query] = [Promise.withResolvers<void>(), vi.fn()]
    host.idle = idle.promise
    const whenIdle = vi.spyOn(host, 'whenIdle')
    const members: Partial<Store> = { claim: query, match: query, registerWorker: query }
    const worker = startWorker(withMembers(inbox, members), host)
    worker.wake()
    await turns()
    expect(query).not.toHaveBeenCalled()
    expect(whenIdle).toHaveBeenCalledExactlyOnceWith(100)
    for (const name of Object.keys(members)) Reflect.deleteProperty(members, name)
    idle.resolve()
    await reaches(inbox, await storeIn(inbox), 'done')
    expect(whenIdle.mock.calls.length).toBeGreaterThan(1)
  })
})

describe('a handler that is added later', () => {
  test('handles later deliveries, and is added to the policies of the worker', async () => {
    const inbox = openInbox()
    const updateWorker = vi.fn((worker, handlers) => inbox.updateWorker(worker, handlers))
    const [first, second] = [vi.fn(), vi.fn()]
    const host = new Host().on('push', first)
    const worker = startWorker(withMembers(inbox, { updateWorker }), host)
    await reaches(inbox, await storeIn(inbox), 'done')
    host.on('*', { backoff: 7, timeout: 8, attempts: 3 }, second)
    worker.handlersChanged()
    await reaches(inbox, await storeIn(inbox), 'done')
    expect([first.mock.calls.length, second.mock.calls.length]).toEqual([2, 1])
    const policies = [
      { name: 'on:push', backoff: 5000, timeout: 900_000, attempts: 12 },
      { name: 'on:*', backoff: 7, timeout: 8, attempts: 3 },
    ]
    expect(updateWorker).toHaveBeenCalledExactlyOnceWith(expect.any(Number), policies)
  })

  test('is not missed while the worker is being registered', async () => {
    const inbox = openInbox()
    const registered: string[][] = []
    const namesOf = (handlers: readonly { name: string }[]) => handlers.map(({ name }) => name)
    const [registering, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const flaky = withMembers(inbox, {
      async registerWorker(handlers) {
        registering.resolve()
        await go.promise
        registered.push(namesOf(handlers))
        return inbox.registerWorker(handlers)
      },
      updateWorker(worker, handlers) {
        registered.push(namesOf(handlers))
        return inbox.updateWorker(worker, handlers)
      },
    })
    const host = new Host().on('push', () => {})
    const worker = startWorker(flaky, host)
    await registering.promise
    host.on('*', () => {})
    worker.handlersChanged()
    go.resolve()
    await reaches(inbox, await storeIn(inbox), 'done')
    expect(registered.at(-1)).toEqual(['on:push', 'on:*'])
  })
})

describe('failures', () => {
  test('call onError each time, and onDead once at the end, with the error', async () => {
    const inbox = openInbox()
    const errors = [new Error('first'), new Error('second')]
    const host = new Host().on('push', { attempts: 2, backoff: 1 }, () => Promise.reject(errors[host.errors.length]))
    const id = await storeIn(inbox, {}, { guid: 'g' })
    startWorker(inbox, host)
    await reaches(inbox, id, 'dead')
    await expect.poll(() => host.dead.length).toBe(1)
    expect(host.errors).toEqual(errors.map((error) => [error, 'g']))
    expect(host.dead).toEqual([[errors[1], 'g']])
    expect(host.recorder.lines).toMatchObject([
      {
        level: 'error',
        message: 'Handler on:push failed and will be tried again',
        fields: { err: errors[0], attempt: 1 },
      },
      { level: 'error', message: 'Handler on:push failed in its last attempt', fields: { err: errors[1], attempt: 2 } },
    ])
    expect(host.recorder.lines[0]?.fields).toMatchObject({ handler: 'on:push', guid: 'g', event: 'push' })
  })

  test('call onDead when the delivery has ended, even though another handler was the last to end', async () => {
    const inbox = openInbox()
    const { promise, resolve } = Promise.withResolvers<void>()
    const host = new Host().on('push', { attempts: 1 }, () => Promise.reject(new Error('dead'))).on('*', () => promise)
    const id = await storeIn(inbox, {}, { guid: 'g' })
    startWorker(inbox, host)
    await expect.poll(async () => (await taskIn(inbox, id, 'on:push').catch(() => undefined))?.state).toBe('dead')
    expect([await stateIn(inbox, id), host.dead]).toEqual(['running', []])
    resolve()
    await reaches(inbox, id, 'dead')
    await expect.poll(() => host.dead).toEqual([[expect.any(Error), 'g']])
  })

  test('do not include Discard', async () => {
    const inbox = openInbox()
    const host = new Host().on('push', () => Promise.reject(new Discard('a fork')))
    const id = await storeIn(inbox)
    startWorker(inbox, host)
    await reaches(inbox, id, 'discarded')
    expect((await taskIn(inbox, id, 'on:push')).attempts).toMatchObject([{ outcome: 'discarded', error: 'a fork' }])
    expect([host.errors, host.dead, host.recorder.lines]).toEqual([[], [], []])
  })

  test('to parse a payload end the delivery as dead before any handler sees it', async () => {
    const inbox = openInbox()
    const handled = vi.fn()
    const host = new Host().on('*', handled)
    const id = await storeIn(inbox, '[1]', { guid: 'g' })
    startWorker(inbox, host)
    await reaches(inbox, id, 'dead')
    const reason = 'invalid_payload: The payload is not a JSON object'
    expect(await detailIn(inbox, id)).toMatchObject({ reason, tasks: [] })
    await expect.poll(() => host.dead).toEqual([[expect.objectContaining({ message: reason }), 'g']])
    expect([host.errors, handled.mock.calls]).toEqual([[], []])
    expect(host.recorder.messages).toEqual([`Not handled: ${reason}`])
  })

  test('to read a stored body are retried like those of the handler, and delay no other task', async () => {
    const inbox = openInbox()
    let damage = true
    const load: Store['load'] = async (ids) => {
      const loaded = await inbox.load(ids)
      return damage ? loaded.map((one) => ({ ...one, body: new Uint8Array(), damaged: 'a bad sector' })) : loaded
    }
    const handled = vi.fn().mockRejectedValueOnce(new Retry({ after: 0 }))
    const host = new Host().on('push', { backoff: 1, attempts: 100 }, handled)
    const id = await storeIn(inbox)
    startWorker(withMembers(inbox, { load }), host)
    await eventually(() => expect(`${host.errors.at(-1)?.[0]}`).toContain('a bad sector'))
    await reaches(inbox, await storeIn(inbox, { n: 2 }), 'done')
    damage = false
    await inbox.retry({ ids: [id] })
    await reaches(inbox, id, 'done')
  })

  test('may be any value', async () => {
    const inbox = openInbox()
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error('hostile')
        },
      },
    )
    const host = new Host().on('push', { attempts: 1 }, () => Promise.reject(hostile))
    const id = await storeIn(inbox)
    startWorker(inbox, host)
    await reaches(inbox, id, 'dead')
  })
})
