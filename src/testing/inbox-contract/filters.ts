import assert from 'node:assert/strict'
import type { Store } from '../../inbox/inbox.ts'
import type { Query } from '../../inbox/query/query.ts'
import type { Page, PayloadSummary } from '../../inbox/records.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { json, minute, newDelivery, start, storeNew } from './deliveries.ts'
import { recordMatches } from './matching.ts'
import { due, TestWorker } from './test-worker.ts'

export type Name = 'push' | 'issue' | 'release' | 'other bytes' | 'replay' | 'fetched' | 'new'

/** Each condition, and the deliveries that it matches, newest first. */
const found: [id: string, query: Query, names: Name[]][] = [
  ['state', { state: 'retrying' }, ['issue']],
  ['state-new', { state: 'pending' }, ['new', 'fetched', 'other bytes']],
  ['event', { event: 'push' }, ['replay', 'other bytes', 'push']],
  ['action', { action: 'opened' }, ['issue']],
  ['repository', { repository: 'octo/app' }, ['issue', 'push']],
  ['sender', { sender: 'hubot' }, ['release', 'push']],
  ['source', { source: '/elsewhere' }, ['fetched']],
  ['guid', { guid: 'guid of the push' }, ['other bytes', 'push']],
  ['ref', { ref: 'refs/heads/main' }, ['push']],
  ['sha', { sha: 'c0ffee1d' }, ['push']],
  ['number', { number: 7 }, ['issue']],
  ['handler', { handler: 'b' }, ['other bytes', 'issue']],
  ['conflict', { flag: 'conflict' }, ['other bytes']],
  ['replayed', { flag: 'replayed' }, ['replay']],
  ['pulled', { flag: 'pulled' }, ['fetched']],
  ['since', { since: start + 5 * minute }, ['new', 'fetched']],
  ['until', { until: start + 2 * minute }, ['issue', 'push']],
  ['between', { since: start + minute, until: start + 3 * minute }, ['release', 'issue']],
  ['together', { event: 'push', guid: 'guid of the push', flag: 'conflict', handler: 'b' }, ['other bytes']],
  [
    'together-summary',
    { state: 'done', repository: 'octo/app', event: 'push', sender: 'hubot', ref: 'refs/heads/main' },
    ['push'],
  ],
  ['together-none', { event: 'push', repository: 'octo/app', sender: 'octocat' }, []],
]

/** The names of the deliveries of a page. */
export const namesIn = ({ deliveries }: Page, ids: ReadonlyMap<Name, number>): (Name | undefined)[] =>
  deliveries.map((delivery) => [...ids].find(([, known]) => known === delivery.id)?.[0])

/** Values that match nothing and must not cause an error. */
const hostile = ["' or 1=1 --", '%', '_', '\\', '"', 'push%', 'PUSH', 'pus', 'push ', '\0', '🚀', '']

export const filterCases: InboxContractCase[] = [
  ...found.map(
    ([id, query, names]) =>
      ({
        id: `filter-${id}`,
        name:
          names.length === 0
            ? `lists nothing if no delivery matches all of ${Object.keys(query).join(', ')}`
            : `lists deliveries by ${Object.keys(query).join(', ')}`,
        needs: ['DeliveryReader'],
        async run(host) {
          const inbox = await openNew(host)
          const ids = await fill(inbox)
          assert.deepEqual(namesIn(await inbox.list(query), ids), names)
        },
      }) satisfies InboxContractCase,
  ),
  {
    id: 'filter-literal',
    name: 'matches filter values literally and completely',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      await fill(inbox)
      const columns = ['event', 'action', 'repository', 'sender', 'source', 'guid', 'ref', 'sha', 'handler'] as const
      for (const column of columns) {
        for (const text of hostile)
          assert.deepEqual((await inbox.list({ [column]: text })).deliveries, [], column + text)
      }
      assert.deepEqual((await inbox.list({ number: -1 })).deliveries, [])
      assert.equal(
        (await inbox.list({ event: undefined, number: undefined, words: [], paths: [] })).deliveries.length,
        7,
      )
    },
  },
]

/** Stores one delivery for each name, and matches and handles all but `fetched` and `new`. @returns their ids. */
export async function fill(inbox: Store): Promise<Map<Name, number>> {
  const worker = await TestWorker.register(inbox, 'a', 'b')
  const push = newDelivery({ event: 'push', guid: 'guid of the push' })
  const at = (minutes: number) => ({ receivedAt: start + minutes * minute })
  const stored: [Name, number][] = [
    ['push', await storeNew(inbox, push)],
    ['issue', await storeNew(inbox, { event: 'issues', ...at(1) })],
    ['release', await storeNew(inbox, { event: 'release', ...at(2) })],
    ['other bytes', await storeNew(inbox, { ...push, body: json({ other: 'bytes' }), ...at(3) })],
    ['replay', await storeNew(inbox, { ...push, guid: 'another', ...at(4) })],
    ['fetched', await storeNew(inbox, { event: 'ping', source: '/elsewhere', pulled: true, ...at(5) })],
    ['new', await storeNew(inbox, { event: 'fork', ...at(6) })],
  ]
  const ids = new Map(stored)
  const summary: Partial<Record<Name, PayloadSummary>> = {
    push: { repository: 'octo/app', sender: 'hubot', ref: 'refs/heads/main', sha: 'c0ffee1d' },
    issue: { action: 'opened', repository: 'octo/app', sender: 'octocat', number: 7 },
    release: { action: 'published', repository: 'octo/other', sender: 'hubot' },
  }
  const handle = async (name: Name, handlers: string[]): Promise<void> => {
    const plan = { id: ids.get(name) ?? 0, summary: summary[name] ?? {}, tasks: handlers.map(due) }
    await recordMatches(inbox, worker.id, [plan], start)
  }
  await handle('push', ['a'])
  for (const task of await worker.claim('a')) await worker.finish(task, 'succeeded')
  await handle('issue', ['b'])
  for (const task of await worker.claim('b')) await worker.finish(task, 'failed', { error: 'Error: boom' })
  await handle('release', [])
  await handle('other bytes', ['b'])
  await handle('replay', [])
  return ids
}
