import assert from 'node:assert/strict'
import type { FailureGroup } from '../../inbox/failure-groups.ts'
import type { AttemptResult, ImportedDelivery, Store } from '../../inbox/inbox.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { minute, newDelivery, second, start, storeMany, storeNew } from './deliveries.ts'
import { eventually } from './eventually.ts'
import { recordMatches } from './matching.ts'
import { assertState, assertTasks, detailOf, only, taskOf } from './seen.ts'
import { due, ordered, policies, TestWorker } from './test-worker.ts'

const hour = 60 * minute

export const failureGroupCases: InboxContractCase[] = [
  {
    id: 'failure-groups',
    name: 'groups failures by handler and normalized error, with counts, times, repositories and an example',
    needs: ['FailureGroups'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const now = Math.floor(Date.now() / hour) * hour + 30 * minute
      assert.deepEqual(await inbox.failureGroups({}, now), { groups: [], total: 0, next: undefined })
      const repositories = ['acme/shop', 'acme/api', 'acme/shop', 'acme/docs', 'acme/api', 'acme/shop', 'acme/web']
      for (const [index, repository] of repositories.entries()) {
        const id = await storeNew(inbox, { event: 'push' })
        const summary = { repository, action: 'opened', title: `Title ${index}` }
        const tasks = [{ handler: 'a', claim: true }]
        const [task] = await recordMatches(inbox, worker.id, [{ id, summary, tasks }], start)
        assert.ok(task)
        const startedAt = now - (6 - index) * hour
        const error = `Error: Order ${index} failed\n    at line ${index}`
        await worker.finish(task, index < 2 ? 'failed' : 'dead', { startedAt, error, log: 'a log' })
      }
      await fail(worker, 'b', 'Error: Order 1 failed', { startedAt: now - 30 * hour })
      const { groups, total, next } = await inbox.failureGroups({}, now)
      assert.deepEqual([groups.length, total, next], [2, 2, undefined])
      const [first, second] = groups as [FailureGroup, FailureGroup]
      const { id, ...rest } = first
      assert.deepEqual(rest, {
        handler: 'a',
        error: 'Error: Order <n> failed',
        tasks: { dead: 5, retrying: 2, pending: 0, running: 0 },
        firstAt: now - 6 * hour + 5,
        lastAt: now + 5,
        returnedAt: undefined,
        hours: [...Array(17).fill(0), ...Array(7).fill(1)],
        repositories: [
          { repository: 'acme/shop', count: 3 },
          { repository: 'acme/api', count: 2 },
          { repository: 'acme/docs', count: 1 },
        ],
      })
      assert.deepEqual([second.handler, second.error, second.repositories], ['b', first.error, []])
      assert.deepEqual(second.hours, Array(24).fill(0)) // it failed earlier
      const { example, ...group } = (await inbox.failureGroup(id, now)) ?? assert.fail('the group exists')
      assert.deepEqual(group, first)
      assert.deepEqual(
        [example?.event, example?.repository, example?.action, example?.title, example?.receivedAt],
        ['push', 'acme/web', 'opened', 'Title 6', start],
      )
      const attempt = { number: 1, startedAt: now, duration: 5, outcome: 'dead', result: undefined, log: 'a log' }
      assert.deepEqual(example?.attempt, { ...attempt, error: 'Error: Order 6 failed\n    at line 6' })
      assert.equal(await inbox.failureGroup(id + 1, now), undefined)
    },
  },
  {
    id: 'failure-groups-pages',
    name: 'lists the groups of a handler and since a time, page by page, the latest failure first',
    needs: ['FailureGroups'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      for (const [index, name] of ['One', 'Two', 'Three', 'Four'].entries()) {
        await fail(worker, index === 3 ? 'b' : 'a', `Error: ${name}`, {
          startedAt: start + Math.min(index, 2) * minute,
        })
      }
      const errorsOf = (groups: readonly FailureGroup[]) => groups.map(({ error }) => error.slice(7))
      const found: string[] = []
      for (let after: FailureGroup | undefined, pages = 0; pages < 4; pages++) {
        const page = await inbox.failureGroups({ limit: 1, after }, start)
        assert.equal(page.total, 4)
        found.push(...errorsOf(page.groups))
        assert.equal(page.next === undefined, pages === 3)
        after = page.groups[0]
      }
      assert.deepEqual([...found].sort(), ['Four', 'One', 'Three', 'Two'])
      assert.deepEqual(found.slice(2), ['Two', 'One']) // the other two failed at the same time
      const ofHandler = await inbox.failureGroups({ handler: 'a' }, start)
      assert.deepEqual([errorsOf(ofHandler.groups), ofHandler.total], [['Three', 'Two', 'One'], 3])
      const recent = await inbox.failureGroups({ handler: 'a', since: start + minute + 5 }, start)
      assert.deepEqual([errorsOf(recent.groups), recent.total], [['Three', 'Two'], 2])
      assert.equal((await inbox.failureGroups({ handler: 'c' }, start)).total, 0)
    },
  },
  {
    id: 'failure-groups-resolved',
    name: 'keeps a task in its group until the task ends without a failure, or fails with another error',
    needs: ['DeliveryReader', 'Operations', 'FailureGroups'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const id = await fail(worker, 'a', 'Error: One')
      const group = only(await groupsOf(inbox))
      assert.equal((await taskOf(inbox, id, 'a')).failureGroup, group.id)
      let task = only(await worker.claim('a', 1, start + minute))
      assert.equal(only(await groupsOf(inbox)).tasks.running, 1)
      await worker.finish(task, 'released')
      assert.deepEqual(only(await groupsOf(inbox)).tasks, { dead: 0, retrying: 0, pending: 1, running: 0 })
      task = only(await worker.claim('a'))
      await worker.finish(task, 'failed', { error: 'Error: Two' })
      assert.deepEqual(await errorsIn(inbox), ['Error: Two'])
      task = only(await worker.claim('a', 1, start + minute))
      await worker.finish(task, 'dead', { error: 'Error: Two' })
      assert.equal(await inbox.retry({ ids: [id] }), 1)
      const waiting = only(await groupsOf(inbox)) // the delivery waits to be matched again
      assert.equal(waiting.tasks.dead, 1)
      assert.equal(await inbox.retryFailures(waiting.id), 0)
      assert.equal(await inbox.discardFailures(waiting.id, 'not needed'), 0)
      await worker.match(id, 'a')
      assert.equal(only(await groupsOf(inbox)).tasks.running, 1)
      await worker.finish({ ...task, attempt: task.attempt + 1 }, 'succeeded')
      assert.deepEqual(await groupsOf(inbox), [])
      assert.equal((await taskOf(inbox, id, 'a')).failureGroup, undefined)

      const [discarded, ended] = [await fail(worker, 'a', 'Error: Three'), await fail(worker, 'a', 'Error: Four')]
      await inbox.discard({ ids: [discarded] }, 'not needed')
      assert.deepEqual(await errorsIn(inbox), ['Error: Four'])
      const last = only(await worker.claim('a', 1, start + minute))
      assert.equal(last.id, ended)
      await worker.finish(last, 'discarded', { error: 'not needed' })
      assert.deepEqual(await groupsOf(inbox), [])
    },
  },
  {
    id: 'failure-groups-gone',
    name: 'resolves the failure of a task whose handler no longer matches',
    needs: ['DeliveryReader', 'Operations', 'FailureGroups'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const id = await fail(worker, 'a', 'Error: One', {}, 'dead')
      await inbox.retry({ ids: [id] })
      await worker.match(id, due('b'))
      await assertTasks(inbox, id, { a: 'gone', b: 'pending' })
      assert.equal((await taskOf(inbox, id, 'a')).failureGroup, undefined)
      assert.deepEqual(await groupsOf(inbox), [])
    },
  },
  {
    id: 'failure-groups-returned',
    name: 'records when a group fails again after it was resolved',
    needs: ['FailureGroups'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      await fail(worker, 'a', 'Error: One')
      const again = only(await worker.claim('a', 1, start + minute))
      await worker.finish(again, 'failed', {
        error: 'Error: One',
        startedAt: start + minute,
        nextAt: start + 2 * minute,
      })
      assert.equal(only(await groupsOf(inbox)).returnedAt, undefined)
      await worker.finish(only(await worker.claim('a', 1, start + 2 * minute)), 'succeeded')
      assert.deepEqual(await groupsOf(inbox), [])
      const [one, two] = [await storeNew(inbox), await storeNew(inbox)]
      const tasks = [...(await worker.match(one, 'a')), ...(await worker.match(two, 'a'))]
      const ended = { outcome: 'dead', startedAt: start + hour, duration: 5, error: 'Error: One' } as const
      await inbox.finish(
        worker.id,
        tasks.map((task) => ({ ...task, ...ended })),
      )
      const group = only(await groupsOf(inbox))
      assert.deepEqual([group.firstAt, group.returnedAt, group.tasks.dead], [start + 5, start + hour + 5, 2])
      await fail(worker, 'a', 'Error: One', { startedAt: start + 2 * hour })
      assert.equal(only(await groupsOf(inbox)).returnedAt, start + hour + 5)
    },
  },
  {
    id: 'failure-groups-lease',
    name: 'groups the tasks whose leases have expired',
    needs: ['FailureGroups'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const worker = await TestWorker.register(inbox, 'a')
      for (const id of await storeMany(inbox, 2)) await worker.match(id, due('a'))
      const doomed = await store.startWorker({ handlers: policies('a'), wanted: { a: 2 } })
      await doomed.kill()
      const group = await eventually('the leases expire', async () => (await groupsOf(inbox))[0])
      assert.deepEqual([group.handler, group.tasks.retrying], ['a', 2])
      assert.match(group.error, /^The lease expired/)
    },
  },
  {
    id: 'failure-groups-retry',
    name: 'retries the dead and retrying tasks of a group, and no other tasks of their deliveries',
    needs: ['DeliveryReader', 'Operations', 'FailureGroups'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const ids = await storeMany(inbox, 3)
      for (const id of ids) {
        for (const task of await worker.match(id, 'a', 'b')) await worker.finish(task, 'dead', { error: task.handler })
      }
      const retrying = await fail(worker, 'a', 'a')
      const group = only((await inbox.failureGroups({ handler: 'a' }, start)).groups)
      assert.equal(await inbox.retryFailures(group.id + 1), 0)
      assert.equal(await inbox.retryFailures(group.id), 4)
      for (const id of ids) {
        await assertTasks(inbox, id, { a: 'pending', b: 'dead' })
        await assertState(inbox, id, 'pending')
      }
      assert.equal(only((await inbox.failureGroups({ handler: 'a' }, start)).groups).tasks.pending, 4)
      assert.equal(await inbox.retryFailures(group.id), 0)
      const claimed = await worker.claim('a', 10)
      assert.deepEqual(
        claimed.map(({ id, attempt, attemptsUsed }) => [id, attempt, attemptsUsed]),
        [...ids, retrying].map((id) => [id, 2, 1]),
      )
      for (const task of claimed) await worker.finish(task, 'succeeded')
      assert.deepEqual(await errorsIn(inbox), ['b'])
      await assertState(inbox, retrying, 'done')
      await assertState(inbox, ids[0] as number, 'dead')
    },
  },
  {
    id: 'failure-groups-retry-order',
    name: 'retries ordered tasks of a group one at a time, in the order of receipt',
    needs: ['Operations', 'FailureGroups'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const ids = await storeMany(inbox, 3)
      for (const id of ids) {
        await worker.finish(only(await worker.match(id, ordered('a', 'key', true))), 'dead', { error: 'Error: One' })
      }
      const group = only(await groupsOf(inbox))
      assert.equal(await inbox.retryFailures(group.id), 3)
      for (const id of ids) {
        const task = only(await worker.claim('a', 10))
        assert.equal(task.id, id)
        await worker.finish(task, 'succeeded')
      }
      assert.deepEqual(await groupsOf(inbox), [])
    },
  },
  {
    id: 'failure-groups-discard',
    name: 'discards the dead and retrying tasks of a group, and no other tasks of their deliveries',
    needs: ['DeliveryReader', 'FailureGroups'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b', 'c')
      const both = await storeNew(inbox)
      const [first, second] = [only(await worker.match(both, 'a', due('b'))), await storeNew(inbox)]
      await worker.finish(first, 'dead', { error: 'Error: One' })
      await worker.finish(only(await worker.match(second, ordered('a', 'key', true))), 'failed', {
        error: 'Error: One',
      })
      const blocked = await storeNew(inbox)
      await worker.match(blocked, ordered('a', 'key'))
      const other = await fail(worker, 'c', 'Error: One')
      const [group] = (await inbox.failureGroups({ handler: 'a' }, start)).groups
      assert.ok(group)
      assert.equal(await inbox.discardFailures(group.id, 'not needed'), 2)
      await assertTasks(inbox, both, { a: 'discarded', b: 'pending' })
      await assertState(inbox, both, 'pending')
      await assertState(inbox, second, 'discarded')
      assert.equal((await detailOf(inbox, second)).reason, 'not needed')
      await assertState(inbox, other, 'retrying')
      assert.equal(only(await worker.claim('a', 10)).id, blocked) // it waited for the discarded task
      assert.deepEqual(
        (await groupsOf(inbox)).map(({ handler }) => handler),
        ['c'],
      )
    },
  },
  {
    id: 'failure-groups-import',
    name: 'groups the failures of imported deliveries',
    needs: ['DeliveryReader', 'Operations', 'FailureGroups'],
    async run(host) {
      const [from, to] = [await openNew(host), await openNew(host)]
      const worker = await TestWorker.register(from, 'a')
      for (const outcome of ['dead', 'failed', 'dead'] as const) {
        await fail(worker, 'a', `Error: Order ${outcome.length}`, {}, outcome)
      }
      await worker.finish(await worker.begin(await storeNew(from), 'a'), 'succeeded')
      const imported = []
      for (const { id } of (await from.list({})).deliveries) {
        const body = await from.body(id)
        assert.ok(body)
        imported.push({ delivery: await detailOf(from, id), body })
      }
      assert.equal(await to.importDeliveries(imported), 4)
      assert.equal(await to.importDeliveries(imported), 0)
      assert.deepEqual(await groupsOf(to), await groupsOf(from))
    },
  },
  {
    id: 'failure-groups-retried-uncounted',
    name: 'counts the attempts of a task anew when its failure group is retried, also those that did not count before',
    needs: ['DeliveryReader', 'Operations', 'FailureGroups'],
    async run(host) {
      const [from, to] = [await openNew(host), await openNew(host)]
      const worker = await TestWorker.register(from, 'a')
      const { delivery, body } = await importable(from, await fail(worker, 'a', 'Error: One'))
      const tasks = delivery.tasks.map((task) => ({ ...task, uncounted: 1 }))
      await to.importDeliveries([{ delivery: { ...delivery, tasks }, body }])
      assert.equal(await to.retryFailures(only(await groupsOf(to)).id), 1)
      const { attemptsUsed, uncounted } = only(await (await TestWorker.register(to, 'a')).claim('a'))
      assert.deepEqual([attemptsUsed, uncounted], [1, undefined])
    },
  },
  {
    id: 'failure-groups-hostile',
    name: 'groups failures whatever their texts and their handlers are',
    needs: ['FailureGroups'],
    async run(host) {
      const inbox = await openNew(host)
      const handlers = ['toString', 'ö🚀', '__proto__']
      const worker = await TestWorker.register(inbox, ...handlers)
      const texts = ['cut\0off', 'cut\ud83d', '', undefined, '\n'.repeat(1e6), '"'.repeat(1e6), '1.'.repeat(5e5)]
      for (const handler of handlers) for (const text of texts) await fail(worker, handler, text, { duration: second })
      const { groups, total } = await inbox.failureGroups({ limit: 100 }, start)
      assert.equal(total, groups.length)
      assert.deepEqual(new Set(groups.map(({ handler }) => handler)), new Set(handlers))
      const tasks = groups.reduce((sum, group) => sum + group.tasks.retrying, 0)
      assert.equal(tasks, handlers.length * texts.length)
      for (const { error } of groups) assert.ok(error.length > 0 && error.length <= 301)
    },
  },
]

async function importable(inbox: Store, id: number): Promise<ImportedDelivery> {
  const body = await inbox.body(id)
  assert.ok(body)
  return { delivery: await detailOf(inbox, id), body }
}

const groupsOf = async (inbox: Store): Promise<FailureGroup[]> => (await inbox.failureGroups({}, start)).groups

const errorsIn = async (inbox: Store): Promise<string[]> => (await groupsOf(inbox)).map(({ error }) => error)

/** Stores a delivery whose task fails. @returns the id of the delivery. */
async function fail(
  worker: TestWorker,
  handler: string,
  error: string | undefined,
  more: Partial<AttemptResult> = {},
  outcome: 'failed' | 'dead' = 'failed',
): Promise<number> {
  const { id } = await (worker.inbox as Store).store(newDelivery())
  await worker.finish(await worker.begin(id, handler), outcome, { error, ...more })
  return id
}
