import assert from 'node:assert/strict'
import type { Store } from '../../inbox/inbox.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { newDelivery, start, storeMany, storeNew } from './deliveries.ts'
import { recordMatches, unmatched } from './matching.ts'
import { assertState, assertTasks, detailOf, only } from './seen.ts'
import { due, ordered, TestWorker } from './test-worker.ts'

async function handedTo(inbox: Store): Promise<number[]> {
  return (await unmatched(inbox, 10, 1e6)).map(({ id }) => id)
}

/** A summary with every field. */
const summary = {
  action: 'opened',
  repository: 'octo-org/naïve',
  sender: 'octocat',
  title: 'It\'s 100 % "broken"',
  ref: 'refs/heads/main',
  sha: '6dcb09b5b57875f334f61aebed695e2e4193db5e',
  number: 1347,
}

export const matchingCases: InboxContractCase[] = [
  {
    id: 'unmatched',
    name: 'offers new deliveries in order of receipt, and offers them again to the same process until they are matched',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const ids = await storeMany(inbox, 5)
      for (let times = 0; times < 2; times++) assert.deepEqual(await handedTo(inbox), ids)
      await worker.match(ids[1] as number, 'a')
      await worker.match(ids[3] as number)
      assert.deepEqual(await handedTo(inbox), [ids[0], ids[2], ids[4]])
    },
  },
  {
    id: 'unmatched-again',
    name: 'offers a delivery that an operator retries before the newer ones, although a backlog is being matched',
    needs: ['Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const [oldest = 0, ...backlog] = await storeMany(inbox, 12)
      await worker.finish(await worker.begin(oldest, 'a'), 'succeeded')
      const offered: number[][] = []
      const matchTwo = () => {
        return inbox.match(worker.id, { limit: 2, bytes: 1e6, ordered: true, now: start }, (all) => {
          offered.push(all.map(({ id }) => id))
          return all.map(({ id }) => ({ id, summary: {}, tasks: [ordered('a', 'key')] }))
        })
      }
      assert.equal((await matchTwo()).matched, 2)
      assert.equal(await inbox.retry({ ids: [oldest] }), 1)
      assert.equal((await matchTwo()).matched, 2, 'the match makes progress')
      assert.deepEqual([offered[0], offered.at(-1)], [backlog.slice(0, 2), [oldest, backlog[2]]])
    },
  },
  {
    id: 'unmatched-shared',
    name: 'offers another process the deliveries that a closed process left unmatched',
    async run(host) {
      const store = await host.create()
      const [inbox, other] = [await store.open(), await store.open()]
      const worker = await TestWorker.register(inbox, 'a')
      const ids = await storeMany(inbox, 3)
      assert.deepEqual(await handedTo(inbox), ids)
      assert.ok(
        (await handedTo(other)).every((id) => ids.includes(id)),
        'the store may already offer these deliveries to the other process too, but no others',
      )
      await worker.match(ids[1] as number, 'a')
      await inbox.releaseWorker(worker.id)
      await inbox.close()
      assert.deepEqual(await handedTo(other), [ids[0], ids[2]])
    },
  },
  {
    id: 'unmatched-limits',
    name: 'offers deliveries up to the limits of number and bytes, and at least one even if it exceeds the byte limit',
    async run(host) {
      const inbox = await openNew(host)
      const ids = await storeMany(inbox, 5, { body: new Uint8Array(1000) })
      const counts: number[] = []
      for (const [limit, bytes] of [
        [3, 1e6],
        [10, 2500],
        [10, 1],
        [10, 1e6],
      ] as const) {
        counts.push((await unmatched(inbox, limit, bytes)).length)
      }
      assert.deepEqual(counts, [3, 2, 1, 5])
      assert.equal(only(await unmatched(inbox, 1, 1e6)).id, ids[0])
    },
  },
  {
    id: 'match-all',
    name: 'offers the next deliveries to each call until all are matched',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const ids = await storeMany(inbox, 5)
      const rounds: number[][] = []
      for (let matched = 1; matched > 0; ) {
        const offer = { limit: 2, bytes: 1e6, ordered: true, now: start }
        const result = await inbox.match(worker.id, offer, (offered) => {
          rounds.push(offered.map(({ id }) => id))
          return offered.map(({ id }) => ({ id, summary: {}, tasks: [ordered('a', 'key')] }))
        })
        matched = result.matched
      }
      assert.deepEqual(
        rounds.filter((round) => round.length > 0),
        [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)],
      )
    },
  },
  {
    id: 'match-part',
    name: 'offers unmatched deliveries again, before later deliveries',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const ids = await storeMany(inbox, 4)
      const offer = { limit: 3, bytes: 1e6, ordered: true, now: start }
      const { matched } = await inbox.match(worker.id, offer, ([first]) => [
        { id: first?.id as number, summary: {}, tasks: [due('a')] },
      ])
      assert.equal(matched, 1)
      assert.deepEqual(await handedTo(inbox), ids.slice(1))
    },
  },
  {
    id: 'match-attempts',
    name: 'counts match attempts, and resets the count on forgetMatchAttempts, a match or a discard',
    needs: ['Operations'],
    async run(host) {
      const store = await host.create()
      const [inbox, other] = [await store.open(), await store.open()]
      const worker = await TestWorker.register(inbox, 'a')
      const [id, beside] = [await storeNew(inbox), await storeNew(inbox)]
      const count = async (times: number, of: Store, one = id) => assert.equal(await of.countMatchAttempt(one), times)
      await count(1, inbox)
      await count(2, other)
      await count(1, inbox, beside)
      await other.forgetMatchAttempts(id)
      await count(1, inbox)
      await inbox.discard({ ids: [id] }, 'not wanted')
      await count(1, inbox)
      await worker.match(beside)
      await count(1, inbox, beside)
    },
  },
  {
    id: 'match-attempt-meanwhile',
    name: 'counts a match attempt while the delivery is being matched',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const id = await storeNew(inbox)
      const counts: (number | undefined)[] = []
      const offer = { limit: 1, bytes: 1e6, ordered: true, now: start }
      const { matched } = await inbox.match(worker.id, offer, async () => {
        counts.push(await inbox.countMatchAttempt(id))
        await inbox.forgetMatchAttempts(id)
        return [{ id, summary: {}, tasks: [due('a')] }]
      })
      assert.deepEqual([matched, counts], [1, [1]])
    },
  },
  {
    id: 'match-summary',
    name: 'shows the payload summary of a delivery after the delivery is matched',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const [full, empty] = [await storeNew(inbox), await storeNew(inbox)]
      const plans = [
        { id: full, summary, tasks: [due('a')] },
        { id: empty, summary: {}, tasks: [] },
      ]
      await recordMatches(inbox, worker.id, plans, start)
      const listed = (await inbox.list({})).deliveries
      for (const found of [await detailOf(inbox, full), only(listed.filter(({ id }) => id === full))]) {
        assert.deepEqual({ ...found, ...summary }, found)
      }
      const nothing = await detailOf(inbox, empty)
      for (const name of Object.keys(summary)) assert.equal(nothing[name as keyof typeof summary], undefined)
    },
  },
  {
    id: 'match-odd-summary',
    name: 'accepts every text and number that a payload summary can contain',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const odd = { title: 'a\0b', sender: '\ud83d', ref: '\u{1f680}'.repeat(150), number: Number.MAX_SAFE_INTEGER }
      for (const one of [odd, { title: '', action: '', number: 0 }, { number: Number.MIN_SAFE_INTEGER }]) {
        const id = await storeNew(inbox)
        const plan = { id, summary: one, tasks: [{ handler: 'a', key: odd.title, claim: true }] }
        await worker.finish(only(await recordMatches(inbox, worker.id, [plan], start)), 'succeeded')
        const { number, ref } = await detailOf(inbox, id)
        assert.deepEqual([number, ref], [one.number, 'ref' in one ? one.ref : undefined])
      }
    },
  },
  {
    id: 'match-claim',
    name: 'claims the matched tasks for which the worker has room, and leaves the other tasks due',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const id = await storeNew(inbox)
      const claimed = only(await worker.match(id, 'a', due('b')))
      assert.deepEqual(claimed, { id, handler: 'a', attempt: 1, attemptsUsed: 1, replayed: false })
      await assertTasks(inbox, id, { a: 'running', b: 'pending' })
      assert.deepEqual(await worker.claim('a'), [])
      const later = only(await worker.claim('b'))
      assert.deepEqual(later, { id, handler: 'b', attempt: 1, attemptsUsed: 1, replayed: false })
    },
  },
  {
    id: 'match-once',
    name: 'does not change a delivery that is already matched',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const [worker, other] = [await TestWorker.register(inbox, 'a', 'b'), await TestWorker.register(inbox, 'a', 'b')]
      const [id, ended] = [await storeNew(inbox), await storeNew(inbox)]
      await worker.match(id, due('a'))
      await worker.handle(ended, { a: 'succeeded' })
      for (const known of [id, ended]) {
        const late = {
          id: known,
          summary,
          tasks: [
            { handler: 'a', claim: true },
            { handler: 'b', claim: true },
          ],
        }
        assert.deepEqual(await recordMatches(inbox, other.id, [late], start), [])
        assert.equal((await detailOf(inbox, known)).title, undefined)
      }
      await assertTasks(inbox, id, { a: 'pending' })
      await assertState(inbox, ended, 'done')
    },
  },
  {
    id: 'match-race',
    name: 'matches a delivery once, and claims its tasks once, when several workers match it at the same time',
    async run(host) {
      const store = await host.create()
      const [inbox, other] = [await store.open(), await store.open()]
      const workers = await Promise.all([inbox, other, inbox, other].map((one) => TestWorker.register(one, 'a', 'b')))
      for (let round = 0; round < 20; round++) {
        const id = await storeNew(inbox, newDelivery())
        const claimed = await Promise.all(workers.map((worker) => worker.match(id, 'a', 'b')))
        assert.deepEqual(claimed.map((tasks) => tasks.length).sort(), [0, 0, 0, 2])
        await assertTasks(inbox, id, { a: 'running', b: 'running' })
      }
    },
  },
  {
    id: 'match-ended',
    name: 'skips a delivery that an operator has discarded meanwhile, and matches the other deliveries',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const [ended, beside] = [await storeNew(inbox), await storeNew(inbox)]
      await inbox.discard({ ids: [ended] }, 'not wanted')
      const tasks = [{ handler: 'a', claim: true }]
      const plans = [ended, beside, beside + 1000].map((id) => ({ id, summary: {}, tasks }))
      assert.equal(only(await recordMatches(inbox, worker.id, plans, start)).id, beside)
      await assertState(inbox, ended, 'discarded')
    },
  },
]
