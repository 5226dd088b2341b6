/** One repository with a backlog does not delay the deliveries of another. */
import { expect, onTestFinished, test } from 'vitest'
import type { ResolvedHandlerOptions } from '../../../src/handler.ts'
import type { Store } from '../../../src/inbox/inbox.ts'
import { Worker } from '../../../src/inbox/worker/worker.ts'
import { Host } from '../fixtures.ts'
import { eventually, openInbox, storeIn, taskIn, withMembers } from '../stores.ts'

/** Stores deliveries of one repository. @returns the id of the last one. */
async function storeMany(inbox: Store, name: string, count: number): Promise<number> {
  const repository = { full_name: `acme/${name}`, owner: { login: 'acme' } }
  const ids = await Promise.all(Array.from({ length: count }, (_, n) => storeIn(inbox, { n, repository })))
  return Math.max(...ids)
}

/**
 * Stores a backlog of one repository. While its first deliveries run, stores five deliveries of another repository.
 * @returns the repositories in the order in which their deliveries were handled.
 */
async function handled(options: ResolvedHandlerOptions): Promise<(string | undefined)[]> {
  const inbox = openInbox()
  await storeMany(inbox, 'busy', 300)
  const repositories: (string | undefined)[] = []
  const gate = Promise.withResolvers<void>()
  const host = new Host().on('push', { ...options, concurrency: 2 }, async ({ repository }) => {
    repositories.push(repository)
    await gate.promise
  })
  const worker = new Worker(inbox, host)
  onTestFinished(() => worker.stop(0))
  worker.start()
  await eventually(() => expect(repositories).toHaveLength(2))
  const last = await storeMany(inbox, 'small', 5)
  worker.wake()
  await eventually(async () => expect((await taskIn(inbox, last, 'on:push')).state).toBe('pending'))
  gate.resolve()
  await eventually(() => expect(repositories).toHaveLength(305))
  return repositories
}

test('repositories take turns by default', async () => {
  expect((await handled({})).lastIndexOf('acme/small')).toBeLessThan(50)
})

test('with "fair: \'installation\'", the repositories of an owner do not take turns', async () => {
  expect((await handled({ fair: 'installation' })).indexOf('acme/small')).toBeGreaterThan(200)
})

test('with "fair: false", the oldest delivery is first', async () => {
  expect((await handled({ fair: false })).indexOf('acme/small')).toBeGreaterThan(200)
})

test('a backlog for slow handlers is matched in large batches', async () => {
  const inbox = openInbox()
  await storeMany(inbox, 'busy', 300)
  const limits: number[] = []
  const counting = withMembers(inbox, {
    match(worker, offer, decide) {
      limits.push(offer.limit)
      return inbox.match(worker, offer, decide)
    },
  })
  const gate = Promise.withResolvers<void>()
  const host = new Host().on('push', { concurrency: 2 }, () => gate.promise)
  const worker = new Worker(counting, host)
  onTestFinished(() => worker.stop(0))
  worker.start()
  await eventually(() => expect(limits).toContain(225))
  gate.resolve()
})
