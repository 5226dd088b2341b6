import assert from 'node:assert/strict'
import type { AttemptResult, ClaimedTask, DeliveryStatus, Store } from '../../inbox/inbox.ts'
import { parseQuery } from '../../inbox/query/parse-query.ts'
import { type DeliveryState, deliveryStates, type Page } from '../../inbox/records.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { minute, start, storeMany, storeNew } from './deliveries.ts'
import { unmatched } from './matching.ts'
import { assertState, assertTasks, detailOf, only, taskOf } from './seen.ts'
import { due, TestWorker } from './test-worker.ts'

/** Outcomes of handlers, and the resulting state of their delivery. */
const ends: [AttemptResult['outcome'][], DeliveryState][] = [
  [['succeeded', 'succeeded'], 'done'],
  [['succeeded', 'discarded'], 'done'],
  [['discarded', 'discarded'], 'discarded'],
  [['succeeded', 'dead'], 'dead'],
  [['discarded', 'dead'], 'dead'],
  [['succeeded', 'discarded', 'dead'], 'dead'],
]

/** Tasks that are due or claimed or have an outcome, and the resulting state of their unfinished delivery. */
const meanwhile: [(AttemptResult['outcome'] | 'due' | 'claimed')[], DeliveryState][] = [
  [['due', 'due'], 'pending'],
  [['due', 'claimed'], 'running'],
  [['claimed', 'failed', 'dead'], 'running'],
  [['due', 'failed'], 'retrying'],
  [['failed', 'dead', 'succeeded', 'discarded'], 'retrying'],
  [['due', 'dead', 'succeeded', 'discarded'], 'pending'],
  [['released', 'succeeded'], 'pending'],
]

export const stateCases: InboxContractCase[] = [
  {
    id: 'states-ended-once',
    name: 'tells only one of two results that are recorded together that it has ended the delivery',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      for (const id of await storeMany(inbox, 5)) {
        const claimed = await worker.match(id, 'a', 'b')
        const statuses = (await Promise.all(claimed.map((task) => worker.finish(task, 'dead')))).flat()
        assert.equal(statuses.length, 2)
        assert.equal(statuses.filter(({ state, endedByOther }) => state === 'dead' && !endedByOther).length, 1)
      }
    },
  },
  {
    id: 'states',
    name: 'moves a delivery through pending, running, retrying, running and done',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const id = await storeNew(inbox)
      await assertState(inbox, id, 'pending')
      await worker.match(id, due('a'))
      await assertState(inbox, id, 'pending')
      await assertTasks(inbox, id, { a: 'pending' })
      const first = only(await worker.claim('a'))
      await assertState(inbox, id, 'running')
      await assertTasks(inbox, id, { a: 'running' })
      assert.deepEqual(await worker.finish(first, 'failed'), [{ id, state: 'retrying' }])
      await assertState(inbox, id, 'retrying')
      await assertTasks(inbox, id, { a: 'retrying' })
      const second = only(await worker.claim('a', 1, start + minute))
      await assertState(inbox, id, 'running')
      assert.deepEqual(await worker.finish(second, 'succeeded'), [{ id, state: 'done' }])
      await assertState(inbox, id, 'done')
      assert.equal(only((await inbox.list({})).deliveries).state, 'done')
    },
  },
  {
    id: 'states-running',
    name: 'shows a delivery as running in every answer while one of its tasks runs',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const id = await storeNew(inbox)
      const [a, b] = (await worker.match(id, 'a', 'b')) as [ClaimedTask, ClaimedTask]
      await assertShown(inbox, id, 'running')
      await worker.finish(a, 'succeeded')
      await assertShown(inbox, id, 'running')
      await worker.finish(b, 'failed')
      await assertShown(inbox, id, 'retrying')
      await worker.claim('b', 1, start + minute)
      await assertShown(inbox, id, 'running')
      assert.equal(only((await inbox.list({})).deliveries).nextAttemptAt, undefined)
    },
  },
  {
    id: 'states-running-failed',
    name: 'finds the error of a failed task while another task of its first match runs',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const id = await storeNew(inbox)
      const [a, b] = (await worker.match(id, 'a', 'b')) as [ClaimedTask, ClaimedTask]
      await worker.finish(a, 'dead', { error: 'Error: no such host' })
      await assertShown(inbox, id, 'running')
      for (const query of ['error:host', 'host', 'state:running error:host']) {
        assert.deepEqual(idsOf(await inbox.list(parseQuery(query))), [id], query)
      }
      await worker.finish(b, 'succeeded')
      await assertShown(inbox, id, 'dead')
    },
  },
  ...ends.map(
    ([outcomes, state]) =>
      ({
        id: `state-${outcomes.join('-')}`,
        name: `ends a delivery as ${state} if its tasks ended as ${outcomes.join(', ')}`,
        async run(host) {
          const inbox = await openNew(host)
          const handlers = outcomes.map((_, index) => `h${index}`)
          const worker = await TestWorker.register(inbox, ...handlers)
          const id = await storeNew(inbox)
          let statuses: DeliveryStatus[] = []
          for (const task of await worker.match(id, ...handlers)) {
            statuses = await worker.finish(task, outcomes[handlers.indexOf(task.handler)] ?? 'dead')
          }
          assert.equal(only(statuses).state, state)
          await assertState(inbox, id, state)
        },
      }) satisfies InboxContractCase,
  ),
  ...meanwhile.map(
    ([stands, state]) =>
      ({
        id: `state-${stands.join('-')}`,
        name: `shows a delivery as ${state} while its tasks are ${stands.join(', ')}`,
        needs: ['DeliveryReader'],
        async run(host) {
          const inbox = await openNew(host)
          const worker = await TestWorker.register(inbox, ...stands.map((_, index) => `h${index}`))
          const id = await storeNew(inbox)
          const claimed = await worker.match(
            id,
            ...stands.map((stand, index) => ({ handler: `h${index}`, claim: stand !== 'due' })),
          )
          for (const [index, stand] of stands.entries()) {
            const task = claimed.find(({ handler }) => handler === `h${index}`)
            if (task && stand !== 'due' && stand !== 'claimed') await worker.finish(task, stand)
          }
          await assertState(inbox, id, state)
        },
      }) satisfies InboxContractCase,
  ),
  {
    id: 'state-ignored',
    name: 'ends a delivery as ignored if no handler matches it',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const id = await storeNew(inbox)
      assert.deepEqual(await worker.match(id), [])
      await assertState(inbox, id, 'ignored')
      await assertTasks(inbox, id, {})
      assert.deepEqual(await unmatched(inbox, 10, 1e6), [])
    },
  },
  {
    id: 'state-invalid',
    name: 'ends an unreadable delivery as dead with the reason, without calling a handler',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const id = await storeNew(inbox, { body: Uint8Array.of(0xff) })
      const invalid = { id, summary: {}, tasks: [], invalid: 'invalid_payload: naïve' }
      const matchInvalid = () => {
        return inbox.match(worker.id, { limit: 1, bytes: 1e6, ordered: false, now: start }, () => [invalid])
      }
      assert.deepEqual(await matchInvalid(), { matched: 1, claimed: [], invalid: [id] })
      assert.deepEqual((await matchInvalid()).invalid, undefined, 'only one match ends the delivery')
      const { state, reason, tasks } = await detailOf(inbox, id)
      assert.deepEqual({ state, reason, tasks }, { state: 'dead', reason: 'invalid_payload: naïve', tasks: [] })
      assert.deepEqual(await unmatched(inbox, 10, 1e6), [])
    },
  },
  {
    id: 'delivery-statuses',
    name: 'returns the status of each delivery when outcomes are recorded',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const [one, two] = [await storeNew(inbox), await storeNew(inbox)]
      const claimed = [...(await worker.match(one, 'a', 'b')), ...(await worker.match(two, 'a', 'b'))]
      const outcomes = claimed.map(({ attemptsUsed: _, replayed: __, ...task }): AttemptResult => {
        const outcome = task.id === two && task.handler === 'b' ? 'dead' : 'succeeded'
        return { ...task, outcome, startedAt: start, duration: 1 }
      })
      const statuses = await inbox.finish(worker.id, outcomes)
      const byId = [...statuses].sort((a, b) => a.id - b.id)
      assert.deepEqual(byId, [
        { id: one, state: 'done' },
        { id: two, state: 'dead' },
      ])
      assert.equal((await taskOf(inbox, two, 'b')).state, 'dead')
    },
  },
]

const idsOf = ({ deliveries }: Page) => deliveries.map(({ id }) => id)

/** Asserts that the only delivery of a store is shown in this state, and in no other. */
async function assertShown(inbox: Store, id: number, state: DeliveryState): Promise<void> {
  await assertState(inbox, id, state)
  const { guid, state: listed } = only((await inbox.list({})).deliveries)
  assert.equal(listed, state)
  const { states } = await inbox.overview()
  for (const one of deliveryStates) {
    const ids = one === state ? [id] : []
    assert.deepEqual(idsOf(await inbox.list({ state: one })), ids, `list of ${one}`)
    assert.deepEqual(idsOf(await inbox.list({ state: one, guid })), ids, `list of ${one} with the GUID`)
    assert.equal(states[one], ids.length, `count of ${one}`)
  }
}
