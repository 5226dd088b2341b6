import assert from 'node:assert/strict'
import type { DeliveryReader } from '../../inbox/inbox.ts'
import type { Query } from '../../inbox/query/query.ts'
import { type TimeCount, TimeCountSum } from '../../inbox/query/time-counts.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { minute, start, storeMany } from './deliveries.ts'
import { fill } from './filters.ts'

/** Each condition, and the minutes in which its deliveries were received. The delivery of minute 1 is `retrying`. */
const found: [query: Query, minutes: number[]][] = [
  [{}, [0, 1, 2, 3, 4, 5, 6]],
  [{ event: 'push' }, [0, 3, 4]],
  [{ state: 'retrying' }, [1]],
  [{ sender: 'hubot' }, [0, 2]],
  [{ handler: 'b' }, [1, 3]],
  [{ since: start + 2 * minute, until: start + 5 * minute }, [2, 3, 4]],
  [{ event: 'none' }, []],
]

export const timeCountCases: InboxContractCase[] = [
  {
    id: 'time-counts',
    name: 'counts the deliveries of a search by their time of receipt, and the failed ones among them',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      await fill(inbox)
      for (const [query, minutes] of found) {
        const expected = minutes.map((at) => {
          const received = start + at * minute
          return { at: received - (received % minute), count: 1, failed: at === 1 ? 1 : 0 }
        })
        assert.deepEqual(await countAll(inbox, query, minute), expected, JSON.stringify(query))
      }
    },
  },
  {
    id: 'time-counts-steps',
    name: 'adds up the deliveries of a step',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const step = 5 * minute
      const first = start - (start % step)
      await storeMany(inbox, 30, { receivedAt: first })
      await storeMany(inbox, 20, { receivedAt: first + step - 1 })
      await storeMany(inbox, 10, { receivedAt: first + step })
      const expected = [
        { at: first, count: 50, failed: 0 },
        { at: first + step, count: 10, failed: 0 },
      ]
      assert.deepEqual(await countAll(inbox, {}, step), expected)
    },
  },
]

/** The counts of all calls, by time. */
async function countAll(inbox: DeliveryReader, query: Query, step: number): Promise<TimeCount[]> {
  const sum = new TimeCountSum()
  let before: number | undefined
  do {
    const { counts, next } = await inbox.timeCounts({ query: { ...query, before }, step })
    sum.add(counts)
    before = next
  } while (before !== undefined)
  return sum.counts.toSorted((a, b) => a.at - b.at)
}
