import assert from 'node:assert/strict'
import type { Count } from '../../inbox/counts.ts'
import { hour, minute } from '../../runtime/units.ts'
import { type InboxContractCase, openNew } from './case.ts'

/** The start of an hour, a few hours ago. */
const began = Math.floor(Date.now() / hour) * hour - 5 * hour

export const countCases: InboxContractCase[] = [
  {
    id: 'counts',
    name: 'sums counts by minute over all processes',
    needs: ['Statistics'],
    async run(host) {
      const store = await host.create()
      const [inbox, other] = [await store.open(), await store.open()]
      await inbox.addCounts([one(began, 'push', 2), one(began + 59_999, 'push', 3), one(began, 'issues', 1)])
      await other.addCounts([one(began + 1, 'push', 4), one(began + minute, 'push', 7)])
      const since = { since: began, step: minute }
      const expected = [one(began, 'issues', 1), one(began, 'push', 9), one(began + minute, 'push', 7)]
      for (const inAny of [inbox, other]) assert.deepEqual(await inAny.counts(since), expected)
      assert.deepEqual(await inbox.counts({ since: began + minute, step: minute }), expected.slice(2))
    },
  },
  {
    id: 'counts-apart',
    name: 'counts measures, names and outcomes separately',
    needs: ['Statistics'],
    async run(host) {
      const inbox = await openNew(host)
      const counts: Count[] = [
        { at: began, measure: 'attempts', name: 'a', outcome: 'failed', count: 1 },
        { at: began, measure: 'attempts', name: 'a', outcome: 'succeeded', count: 2 },
        { at: began, measure: 'attempts', name: '__proto__', outcome: '', count: 3 },
        { at: began, measure: 'rejected', name: 'a', outcome: '', count: 4 },
      ]
      await inbox.addCounts(counts)
      const found = await inbox.counts({ since: began, step: minute })
      const key = ({ measure, name, outcome }: Count) => `${measure} ${name} ${outcome}`
      assert.deepEqual(
        found.toSorted((a, b) => key(a).localeCompare(key(b))),
        counts.toSorted((a, b) => key(a).localeCompare(key(b))),
      )
      const rejected = await inbox.counts({ since: began, step: minute, measures: ['rejected'] })
      assert.deepEqual(rejected, counts.slice(3))
      const attempts = await inbox.counts({ since: began, step: minute, measures: ['attempts'], sumNames: true })
      assert.deepEqual(
        attempts.map(({ name, outcome, count }) => [name, outcome, count]),
        [
          ['', '', 3],
          ['', 'failed', 1],
          ['', 'succeeded', 2],
        ],
      )
    },
  },
  {
    id: 'counts-steps',
    name: 'sums minutes into steps of several minutes and of hours',
    needs: ['Statistics'],
    async run(host) {
      const inbox = await openNew(host)
      const minutes = [0, 14, 15, 59, 60, 150]
      await inbox.addCounts(minutes.map((at) => one(began + at * minute, 'push', 1)))
      const sums = async (step: number) => {
        const found = await inbox.counts({ since: began, step })
        return found.map(({ at, count }) => [(at - began) / minute, count])
      }
      const quarters = [
        [0, 2],
        [15, 1],
        [45, 1],
        [60, 1],
        [150, 1],
      ]
      const hours = [
        [0, 4],
        [60, 1],
        [120, 1],
      ]
      assert.deepEqual(await sums(15 * minute), quarters)
      assert.deepEqual(await sums(hour), hours)
    },
  },
  {
    id: 'counts-whole',
    name: 'sums counts over all steps',
    needs: ['Statistics'],
    async run(host) {
      const inbox = await openNew(host)
      await inbox.addCounts([0, 1, 15, 70].map((at) => one(began + at * minute, 'push', 1)))
      await inbox.addCounts([one(began, 'issues', 2)])
      const since = began + minute
      const sums = await inbox.counts({ since, step: 5 * minute, sumSteps: true })
      assert.deepEqual(sums, [one(since, 'push', 3)])
    },
  },
  {
    id: 'counts-measures',
    name: 'returns only the counts of the measures that a query names',
    needs: ['Statistics'],
    async run(host) {
      const inbox = await openNew(host)
      const measures = ['attempts', 'durations', 'loads'] as const
      await inbox.addCounts(measures.map((measure) => ({ ...one(began, 'a', 1), measure })))
      const found = await inbox.counts({ since: began, step: minute, measures: ['loads', 'attempts'] })
      assert.deepEqual(found.map(({ measure }) => measure).toSorted(), ['attempts', 'loads'])
      assert.deepEqual(await inbox.counts({ since: began, step: minute, measures: [] }), [])
    },
  },
  {
    id: 'counts-names',
    name: 'returns only the counts of the names that a query names',
    needs: ['Statistics'],
    async run(host) {
      const inbox = await openNew(host)
      const counts = ['push', 'issues', 'ping', ''].map((name) => one(began + hour, name, 1))
      await inbox.addCounts([...counts, one(began - minute, 'push', 2), one(began + hour + 59_999, 'push', 3)])
      await inbox.addCounts([{ ...one(began, 'push', 4), measure: 'rejected' }])
      const names = ['push', '', 'another']
      const found = (query: { step: number; sumSteps?: boolean }) =>
        inbox.counts({ since: began, measures: ['received'], names, ...query })
      const expected = (at: number) => [one(at, '', 1), one(at, 'push', 4)]
      assert.deepEqual(await found({ step: minute }), expected(began + hour))
      assert.deepEqual(await found({ step: hour }), expected(began + hour))
      assert.deepEqual(await found({ step: hour, sumSteps: true }), expected(began))
      assert.deepEqual(await inbox.counts({ since: began, step: hour, names: [] }), [])
    },
  },
]

function one(at: number, name: string, count: number): Count {
  return { at, measure: 'received', name, outcome: 'stored', count }
}
