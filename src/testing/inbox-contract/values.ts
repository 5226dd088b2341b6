import assert from 'node:assert/strict'
import type { Store } from '../../inbox/inbox.ts'
import type { ValueQuery } from '../../inbox/query/values.ts'
import type { PayloadSummary } from '../../inbox/records.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { start, storeNew } from './deliveries.ts'
import { recordMatches } from './matching.ts'
import { TestWorker } from './test-worker.ts'

/** Queries and their results. */
const found: [query: ValueQuery, values: string[]][] = [
  [{ column: 'event' }, ['issues', 'pull_request', 'push']],
  [{ column: 'event', prefix: 'PU' }, ['pull_request', 'push']],
  [{ column: 'event', prefix: 'ush' }, []],
  [{ column: 'action' }, ['closed', 'opened']],
  [{ column: 'repository' }, ['acme/shop', 'Acme/till', 'octo/academy', 'octo/%_']],
  [{ column: 'repository', prefix: 'ac' }, ['acme/shop', 'Acme/till', 'octo/academy']],
  [{ column: 'repository', prefix: 'octo/a' }, ['octo/academy']],
  [{ column: 'repository', prefix: '%' }, ['octo/%_']],
  [{ column: 'repository', prefix: '_' }, []],
  [{ column: 'repository', limit: 2 }, ['acme/shop', 'Acme/till']],
  [{ column: 'sender', prefix: '' }, ['<script>', 'octocat']],
  [{ column: 'source' }, ['/hooks', '/other']],
  [{ column: 'ref', prefix: 'refs/heads/' }, ['refs/heads/\u202emain']],
  [{ column: 'handler' }, ['deploy', 'mail']],
  [{ column: 'handler', prefix: 'D' }, ['deploy']],
]

const summary: PayloadSummary[] = [
  { repository: 'octo/academy', action: 'opened', sender: 'octocat' },
  { repository: 'acme/shop', action: 'closed', sender: '<script>' },
  { repository: 'acme/shop', action: 'opened', ref: 'refs/heads/\u202emain' },
  { repository: 'Acme/till', action: '' },
  { repository: 'octo/%_' },
  {},
]

export const valueCases: InboxContractCase[] = [
  {
    id: 'values',
    name: 'lists each value of a column once, in alphabetical order, or only the values with a given prefix',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      assert.deepEqual(await inbox.values({ column: 'repository' }), [])
      await fill(inbox)
      for (const [query, values] of found) {
        const sorted = query.column === 'repository' ? [...values].sort(byLetters) : values
        assert.deepEqual(await inbox.values(query), sorted, JSON.stringify(query))
      }
    },
  },
  {
    id: 'values-new',
    name: 'lists the events of unmatched deliveries',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      await storeNew(inbox, { event: 'push' })
      assert.deepEqual(await inbox.values({ column: 'event' }), ['push'])
      for (const column of ['action', 'repository', 'sender', 'ref', 'handler'] as const) {
        assert.deepEqual(await inbox.values({ column }), [], column)
      }
    },
  },
]

/** Compares in alphabetical order, ignoring case. */
const byLetters = (one: string, other: string): number => (one.toLowerCase() < other.toLowerCase() ? -1 : 1)

async function fill(inbox: Store): Promise<void> {
  const worker = await TestWorker.register(inbox, 'mail', 'deploy')
  const events = ['push', 'issues', 'pull_request']
  for (const [index, one] of summary.entries()) {
    const more = { event: events[index % 3] as string, source: index === 0 ? '/other' : '/hooks' }
    const id = await storeNew(inbox, more)
    await recordMatches(inbox, worker.id, [{ id, summary: one, tasks: [] }], start)
  }
}
