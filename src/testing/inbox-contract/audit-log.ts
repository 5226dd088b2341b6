import assert from 'node:assert/strict'
import type { AuditEntry, AuditQuery, NewAuditEntry } from '../../inbox/audit-log.ts'
import type { ImportedDelivery, Store } from '../../inbox/inbox.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { start, storeMany, storeNew } from './deliveries.ts'
import { detailOf, only } from './seen.ts'
import { TestWorker } from './test-worker.ts'

export const auditLogCases: InboxContractCase[] = [
  {
    id: 'audit-log-operations',
    name: 'records a retry, a discard, a pause and a resume with their operator, target and deliveries',
    needs: ['DeliveryReader', 'Operations', 'AuditLog'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const [one, two, three] = [await storeNew(inbox), await storeNew(inbox), await storeNew(inbox)]
      await worker.handle(one, { a: 'dead' })
      await worker.handle(two, { a: 'dead' })
      const who = { access: 'github', person: 'octocat', address: '10.1.2.3' } as const
      await inbox.retry(
        { ids: [one, two, 9999] },
        { entry: newEntry('retry', { ...who, target: { search: 'state:dead' } }) },
      )
      await inbox.discard({ ids: [three] }, 'not needed', newEntry('discard', { target: { reason: 'not needed' } }))
      await inbox.pause('a', newEntry('pause', { target: { handler: 'a' } }))
      await inbox.resume('a', newEntry('resume', { target: { handler: 'a' } }))
      const entries = await entriesOf(inbox)
      assert.deepEqual(
        entries.map(({ id: _, ...entry }) => entry),
        [
          { ...shown('resume'), target: { handler: 'a' }, count: 1, deliveries: [] },
          { ...shown('pause'), target: { handler: 'a' }, count: 1, deliveries: [] },
          { ...shown('discard'), target: { reason: 'not needed' }, count: 1, deliveries: [three] },
          { ...shown('retry'), ...who, target: { search: 'state:dead' }, count: 2, deliveries: [one, two] },
        ],
      )
    },
  },
  {
    id: 'audit-log-unchanged',
    name: 'records no action that changes nothing, that fails, or that has no entry',
    needs: ['DeliveryReader', 'Operations', 'AuditLog'],
    async run(host) {
      const inbox = await openNew(host)
      const id = await storeNew(inbox)
      assert.equal(await inbox.retry({ ids: [9999] }, { entry: newEntry('retry') }), 0)
      assert.equal(await inbox.discard({ ids: [9999] }, 'no', newEntry('discard')), 0)
      await inbox.resume('a', newEntry('resume'))
      await inbox.pause('a')
      await inbox.pause('a', newEntry('pause'))
      await inbox.resume('a')
      const exported = await exportOf(inbox, id)
      const invalid = { ...exported, delivery: { ...exported.delivery, guid: 'other', state: 'lost' as never } }
      await assert.rejects(inbox.importDeliveries([{ ...exported }, invalid], newEntry('import')))
      assert.equal(await inbox.importDeliveries([exported], newEntry('import')), 0)
      assert.equal(await inbox.discard({ ids: [id] }, 'no'), 1)
      assert.deepEqual(await entriesOf(inbox), [])
    },
  },
  {
    id: 'audit-log-batches',
    name: 'records one entry for an operation with several transactions, and lists the first 100 deliveries',
    needs: ['DeliveryReader', 'Operations', 'AuditLog'],
    async run(host) {
      const inbox = await openNew(host)
      const ids = await storeMany(inbox, 600, { event: 'push' })
      assert.equal(await inbox.discard({ query: { event: 'push' } }, 'no', newEntry('discard')), 600)
      const { count, deliveries } = only(await entriesOf(inbox))
      assert.deepEqual([count, deliveries.length, new Set(deliveries).size], [600, 100, 100])
      assert.ok(deliveries.every((id) => ids.includes(id)))
      const again = newEntry('retry')
      await inbox.retry({ ids: ids.slice(0, 2) }, { entry: again })
      await inbox.retry({ ids: ids.slice(2, 3) }, { entry: again })
      assert.deepEqual(
        (await entriesOf(inbox, { action: 'retry' })).map(({ count, deliveries }) => [count, deliveries]),
        [[3, ids.slice(0, 3)]],
      )
    },
  },
  {
    id: 'audit-log-failure-groups',
    name: 'records the retry and the discard of a failure group',
    needs: ['FailureGroups', 'AuditLog'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const [one, two] = [await storeNew(inbox), await storeNew(inbox)]
      for (const id of [one, two]) await worker.finish(await worker.begin(id, 'a'), 'dead', { error: 'Error: No' })
      const group = only((await inbox.failureGroups({}, start)).groups)
      const target = { failureGroup: group.id, handler: 'a' }
      await inbox.retryFailures(group.id, newEntry('retry', { target }))
      assert.deepEqual(pick(only(await entriesOf(inbox))), {
        action: 'retry',
        target,
        count: 2,
        deliveries: [one, two],
      })
      const tasks = await worker.claim('a', 2)
      for (const task of tasks) await worker.finish(task, 'dead', { error: 'Error: No' })
      await inbox.discardFailures(group.id, 'no', newEntry('discard', { target }))
      const [latest] = await entriesOf(inbox)
      assert.deepEqual(latest && pick(latest), { action: 'discard', target, count: 2, deliveries: [one, two] })
    },
  },
  {
    id: 'audit-log-import',
    name: 'records an import of several batches as one entry with the number of new deliveries',
    needs: ['DeliveryReader', 'Operations', 'AuditLog'],
    async run(host) {
      const [from, to] = [await openNew(host), await openNew(host)]
      const exported: ImportedDelivery[] = []
      for (const id of await storeMany(from, 3)) exported.push(await exportOf(from, id))
      const entry = newEntry('import')
      await to.importDeliveries(exported.slice(0, 2), entry)
      await to.importDeliveries(exported.slice(1), entry)
      assert.deepEqual(pick(only(await entriesOf(to))), { action: 'import', target: {}, count: 3, deliveries: [] })
    },
  },
  {
    id: 'audit-log-pages',
    name: 'lists entries page by page, the newest first, and selects them by action, access and person',
    needs: ['AuditLog'],
    async run(host) {
      const inbox = await openNew(host)
      const people = ['ada', 'bob', 'ada', undefined]
      for (const [index, person] of people.entries()) {
        const action = index < 2 ? 'login' : 'send'
        const entry = newEntry(action, { person, access: person === undefined ? 'token' : 'github' })
        await inbox.recordAction(entry, { count: 1, deliveries: index < 2 ? [] : [index] })
      }
      const peopleIn = (entries: readonly AuditEntry[]) => entries.map(({ person }) => person)
      const first = await inbox.auditEntries({ limit: 3 })
      assert.deepEqual(peopleIn(first.entries), [undefined, 'ada', 'bob'])
      const last = await inbox.auditEntries({ limit: 3, before: first.next })
      assert.deepEqual([peopleIn(last.entries), last.next], [['ada'], undefined])
      assert.equal((await inbox.auditEntries({ limit: 4 })).next, undefined)
      assert.deepEqual(
        (await entriesOf(inbox, { action: 'send' })).map(({ deliveries }) => deliveries),
        [[3], [2]],
      )
      assert.deepEqual(
        (await entriesOf(inbox, { person: 'ada' })).map(({ action }) => action),
        ['send', 'login'],
      )
      assert.deepEqual(peopleIn(await entriesOf(inbox, { access: 'token' })), [undefined])
      assert.deepEqual(await entriesOf(inbox, { action: 'login', access: 'token' }), [])
    },
  },
]

let entries = 0

function newEntry(action: NewAuditEntry['action'], more: Partial<NewAuditEntry> = {}): NewAuditEntry {
  return { key: `entry ${++entries}`, at: start, action, access: 'token', target: {}, ...more }
}

/** An entry of `newEntry`, as the store returns it. */
const shown = (action: NewAuditEntry['action']) => {
  return { at: start, action, access: 'token', person: undefined, address: undefined }
}

const pick = ({ action, target, count, deliveries }: AuditEntry) => ({ action, target, count, deliveries })

const entriesOf = async (inbox: Store, query: AuditQuery = {}): Promise<AuditEntry[]> =>
  (await inbox.auditEntries(query)).entries

async function exportOf(inbox: Store, id: number): Promise<ImportedDelivery> {
  const body = await inbox.body(id)
  assert.ok(body)
  return { delivery: await detailOf(inbox, id), body }
}
