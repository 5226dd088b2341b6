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

test.for([
  ['one registration', 1, []],
  ['two registrations', 2, ['The inbox failed; no handler starts until it works again']],
] as const)('registers again after %s with late answers', async ([_what, late, messages], { onTestFinished }) => {
  const inbox = openInbox(inboxFile(onTestFinished), onTestFinished)
  await storeIn(inbox)
  const now = performance.now.bind(performance)
  let skipped = 0
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + skipped)
  onTestFinished(() => clock.mockRestore())
  const ids: number[] = []
  const released: number[] = []
  const registerWorker: TaskQueue['registerWorker'] = async (...args) => {
    ids.push(await inbox.registerWorker(...args))
    if (ids.length <= late) skipped += 60_000
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
