/** An answer of the store that arrives when the leases that the call has acquired may have expired. */
import { expect, test, vi } from 'vitest'
import type { AttemptResult, TaskQueue } from '../../../src/inbox/task-queue.ts'
import { Worker } from '../../../src/inbox/worker/worker.ts'
import { Host } from '../fixtures.ts'
import { inboxFile, openInbox, storeIn, withMembers } from '../stores.ts'

const methods = ['match', 'claim', 'load'] as const

test.for(methods)('releases a task if the answer to %s is late, and claims it again', async (method, context) => {
  const { onTestFinished } = context
  const inbox = openInbox(inboxFile(onTestFinished), onTestFinished)
  await storeIn(inbox)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const outcomes: AttemptResult['outcome'][] = []
  const finish: TaskQueue['finish'] = (worker, results) => {
    outcomes.push(...results.map(({ outcome }) => outcome))
    return inbox.finish(worker, results)
  }
  // A match without claims, so that the worker claims the task, and then loads its delivery.
  const match: TaskQueue['match'] = (worker, offer, decide) => {
    return inbox.match(worker, offer, async (offered) => {
      const matches = await decide(offered)
      return matches.map((one) => ({ ...one, tasks: one.tasks.map((task) => ({ ...task, claim: false })) }))
    })
  }
  let isFirst = true
  const call = inbox[method].bind(inbox) as (...args: unknown[]) => Promise<unknown>
  const late = async (...args: unknown[]) => {
    const answer = await call(...args)
    const isEmpty = Array.isArray(answer) && answer.length === 0
    if (isFirst && !isEmpty) {
      isFirst = false
      await vi.advanceTimersByTimeAsync(60_000) // the process runs meanwhile
    }
    return answer
  }
  const { promise: attempt, resolve } = Promise.withResolvers<number | undefined>()
  const host = new Host().on('*', (delivery) => resolve(delivery.attempt))
  const worker = new Worker(withMembers(inbox, { finish, match, [method]: late }), host)
  worker.start()
  expect(await attempt).toBe(1)
  await worker.stop(0)
  expect(outcomes).toEqual(['released', 'succeeded'])
})

/** @returns a function that sets a clock forward. */
function settable(clock: 'monotonic' | 'wall', onTestFinished: (work: () => void) => void): (ms: number) => void {
  const [object, now] = clock === 'monotonic' ? [performance, performance.now.bind(performance)] : [Date, Date.now]
  let skipped = 0
  const spy = vi.spyOn(object, 'now').mockImplementation(() => now() + skipped)
  onTestFinished(() => spy.mockRestore())
  return (ms) => {
    skipped += ms
  }
}

test('releases a task if the machine slept between its claim and its start, and claims it again', async (context) => {
  const inbox = openInbox(inboxFile(context.onTestFinished), context.onTestFinished)
  await storeIn(inbox)
  const outcomes: AttemptResult['outcome'][] = []
  const finish: TaskQueue['finish'] = (worker, results) => {
    outcomes.push(...results.map(({ outcome }) => outcome))
    return inbox.finish(worker, results)
  }
  const skip = settable('wall', context.onTestFinished)
  let isFirst = true
  const match: TaskQueue['match'] = async (...args) => {
    const result = await inbox.match(...args)
    if (isFirst && result.matched > 0) {
      isFirst = false
      skip(2 * inbox.leaseDuration) // by the monotonic clock, no time passes
    }
    return result
  }
  const { promise: attempt, resolve } = Promise.withResolvers<number | undefined>()
  const host = new Host().on('*', (delivery) => resolve(delivery.attempt))
  const worker = new Worker(withMembers(inbox, { finish, match }), host)
  worker.start()
  expect(await attempt).toBe(1)
  await worker.stop(0)
  expect(outcomes).toEqual(['released', 'succeeded'])
})

const failed = 'The inbox failed; no handler starts until it works again'

test.for([
  ['one registration with an answer after half of the time that leases last', 1, 'monotonic', 1 / 2, []],
  ['two such registrations', 2, 'monotonic', 1 / 2, [failed, 'The inbox works again; handlers start']],
  ['one registration during which the machine slept', 1, 'wall', 2, []],
] as const)('registers again after %s', async ([_what, late, clock, share, messages], { onTestFinished }) => {
  const inbox = openInbox(inboxFile(onTestFinished), onTestFinished)
  await storeIn(inbox)
  const skip = settable(clock, onTestFinished)
  const ids: number[] = []
  const released: number[] = []
  const registerWorker: TaskQueue['registerWorker'] = async (...args) => {
    ids.push(await inbox.registerWorker(...args))
    if (ids.length <= late) skip(share * inbox.leaseDuration)
    return ids.at(-1) as number
  }
  const releaseWorker: TaskQueue['releaseWorker'] = (id) => {
    released.push(id)
    return inbox.releaseWorker(id)
  }
  const { promise: handled, resolve } = Promise.withResolvers<void>()
  const host = new Host().on('*', () => resolve())
  const worker = new Worker(withMembers(inbox, { registerWorker, releaseWorker }), host)
  worker.start()
  await handled
  await worker.stop(0)
  expect(host.recorder.messages).toEqual(messages)
  expect(ids).toHaveLength(late + 1)
  expect(released).toEqual(ids)
})
