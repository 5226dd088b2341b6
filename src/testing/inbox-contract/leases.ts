import assert from 'node:assert/strict'
import type { ClaimedTask, HandlerPolicy, Store } from '../../inbox/inbox.ts'
import { type ContractStore, type InboxContractCase, type InboxContractHost, openNew } from './case.ts'
import { day, minute, start, storeMany, storeNew } from './deliveries.ts'
import type { DoomedWorker } from './doomed-worker.ts'
import { eventually } from './eventually.ts'
import { assertState, assertTasks, detailOf, only, taskOf } from './seen.ts'
import { backoff, due, policies, TestWorker } from './test-worker.ts'

export const leaseCases: InboxContractCase[] = [
  {
    id: 'takeover',
    name: 'makes the tasks of a killed process due again after the delay of a first failure',
    needs: ['DeliveryReader'],
    async run(host) {
      const { inbox, id, killed } = await expireLease(host, { backoff })
      const { nextAttemptAt = 0, state } = await taskOf(inbox, id, 'a')
      assert.equal(state, 'retrying')
      assert.ok(
        nextAttemptAt >= killed.after + backoff / 2 - 1,
        `${nextAttemptAt} is at least half of the backoff away`,
      )
      assert.ok(nextAttemptAt <= Date.now() + backoff + 1, `${nextAttemptAt} is at most the backoff away`)
      const detail = await detailOf(inbox, id)
      assert.deepEqual([detail.state, detail.nextAttemptAt], ['retrying', nextAttemptAt])
    },
  },
  {
    id: 'takeover-attempt',
    name: 'counts the expired attempt, and shows its outcome',
    needs: ['DeliveryReader'],
    async run(host) {
      const { inbox, worker, id, claimed } = await expireLease(host, { backoff: 1 })
      assert.deepEqual([claimed.attempt, claimed.attemptsUsed], [1, 1])
      const cut = only((await taskOf(inbox, id, 'a')).attempts)
      assert.deepEqual([cut.number, cut.outcome, cut.duration], [1, 'cut off', undefined])
      assert.ok(Math.abs(cut.startedAt - Date.now()) < day, 'the start time of the attempt is recorded')
      const again = await comesBack(worker)
      assert.deepEqual([again.id, again.attempt, again.attemptsUsed], [id, 2, 2])
      await worker.finish(again, 'succeeded')
      await assertState(inbox, id, 'done')
    },
  },
  {
    id: 'takeover-claim',
    name: 'lets another worker claim the tasks of a killed process, and ignores later results of the killed one',
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const worker = await TestWorker.register(inbox, 'a')
      const id = await storeNew(inbox)
      await worker.match(id, due('a'))
      const doomed = await store.startWorker({ handlers: [{ name: 'a', backoff: 1 }], wanted: { a: 1 } })
      await doomed.kill()
      const again = await comesBack(worker)
      assert.deepEqual([again.id, again.attempt, again.attemptsUsed], [id, 2, 2])
      const late = { ...only(doomed.claimed), outcome: 'succeeded', startedAt: start, duration: 1 } as const
      assert.deepEqual(await inbox.finish(doomed.worker, [late]), [])
      assert.deepEqual(await worker.finish(again, 'dead'), [{ id, state: 'dead' }])
    },
  },
  {
    id: 'takeover-last',
    name: 'makes a task due immediately if its lease expires in its last attempt, so that a worker can end the task',
    needs: ['DeliveryReader'],
    async run(host) {
      const { inbox, worker, id } = await expireLease(host, { backoff, attempts: 1 })
      const again = only(await worker.claim('a', 1, Date.now() + minute))
      assert.deepEqual([again.id, again.attempt, again.attemptsUsed], [id, 2, 2])
      await worker.finish(again, 'dead')
      await assertState(inbox, id, 'dead')
    },
  },
  {
    id: 'late-finisher',
    name: 'ignores the outcome of an attempt whose lease has expired, both before and after the next attempt starts',
    needs: ['DeliveryReader'],
    async run(host) {
      const { inbox, worker, id, claimed, doomed } = await expireLease(host, { backoff: 1 })
      const late = { ...claimed, outcome: 'succeeded', startedAt: start, duration: 1, result: 'late' } as const
      assert.deepEqual(await inbox.finish(doomed.worker, [late]), [])
      const due = inbox.claim(doomed.worker, { wanted: { a: 1 }, bytes: 1e6, now: Date.now() + minute })
      assert.deepEqual(await due.catch(() => []), [], 'the worker claims nothing more')
      const again = await comesBack(worker)
      assert.deepEqual(await inbox.finish(doomed.worker, [late]), [])
      assert.deepEqual(await inbox.finish(doomed.worker, [{ ...late, attempt: 2 }]), [])
      await assertTasks(inbox, id, { a: 'running' })
      await worker.finish(again, 'dead')
      assert.deepEqual(await inbox.finish(doomed.worker, [late]), [])
      await assertState(inbox, id, 'dead')
      const { attempts } = await taskOf(inbox, id, 'a')
      assert.deepEqual(
        attempts.map(({ outcome }) => outcome),
        ['cut off', 'dead'],
      )
    },
  },
  {
    id: 'takeover-all',
    name: 'expires all leases of a dead worker, and none of a live one',
    needs: ['DeliveryReader'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const other = await TestWorker.register(await store.open(), 'a', 'b')
      const own = await storeNew(inbox)
      const others = await storeNew(inbox)
      await worker.begin(own, 'a')
      await other.begin(others, 'b')
      const ids = await storeMany(inbox, 5)
      for (const id of ids) await worker.match(id, due('a'), due('b'))
      const doomed = await store.startWorker({ handlers: policies('a', 'b'), wanted: { a: 3, b: 2 } })
      await doomed.kill()
      assert.equal(doomed.claimed.length, 5)
      await allExpired(inbox, doomed.claimed)
      assert.equal((await worker.claim('a', 10)).length, 2)
      assert.equal((await worker.claim('b', 10)).length, 3)
      await assertTasks(inbox, own, { a: 'running' })
      await assertTasks(inbox, others, { b: 'running' })
    },
  },
  {
    id: 'takeover-suspects',
    name: 'claims tasks that two killed processes ran one by one if the worker wants that, beside other tasks',
    needs: ['DeliveryReader'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const interrupted = await storeMany(inbox, 3)
      for (const id of interrupted) await worker.match(id, due('a'), due('b'))
      const handlers = [{ name: 'a', backoff: 1 }]
      for (const attempt of [1, 2]) {
        const doomed = await store.startWorker({ handlers, wanted: { a: 3 } })
        await doomed.kill()
        assert.deepEqual(
          doomed.claimed.map((task) => [task.attempt, task.suspect]),
          Array(3).fill([attempt, undefined]),
        )
        await allExpired(inbox, doomed.claimed)
      }
      const fresh = await storeNew(inbox)
      await worker.match(fresh, due('a'), due('b'))
      const claim = (wanted: Record<string, number>, suspect: boolean) => {
        return inbox.claim(worker.id, { wanted, bytes: 1e6, suspect, now: Date.now() + minute })
      }
      const other = only(await claim({ a: 10 }, false))
      assert.deepEqual([other.id, other.suspect], [fresh, undefined])
      const suspected: ClaimedTask[] = []
      await eventually('a suspect is claimed', async () => {
        suspected.push(...(await claim({ a: 10 }, true)))
        return suspected.length > 0
      })
      assert.equal(only(suspected).suspect, true)
      assert.equal((await claim({ a: 10, b: 10 }, false)).length, 4, 'the tasks of b are no suspects')
      await worker.finish(only(suspected), 'released')
      await eventually('the released task is claimed again, as a suspect', async () => {
        assert.deepEqual(await claim({ a: 10 }, false), [])
        suspected.push(...(await claim({ a: 10 }, true)))
        return suspected.length > 1
      })
      suspected.shift()
      assert.equal(only(suspected).suspect, true)
      await worker.finish(only(suspected), 'failed', { nextAt: start })
      await eventually('the task is due again, and no suspect any more', async () => {
        return (await claim({ a: 10 }, false)).some(({ id }) => id === only(suspected).id)
      })
    },
  },
  {
    id: 'takeover-suspects-matched',
    name: 'does not claim a task that two killed processes ran when its delivery is matched again',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const worker = await TestWorker.register(inbox, 'a')
      const id = await storeNew(inbox)
      await worker.match(id, due('a'))
      for (let kills = 0; kills < 2; kills++) {
        const doomed = await store.startWorker({ handlers: [{ name: 'a', backoff: 1 }], wanted: { a: 1 } })
        await doomed.kill()
        await allExpired(inbox, doomed.claimed)
      }
      assert.equal(await inbox.discard({ ids: [id] }, 'enough'), 1)
      assert.equal(await inbox.retry({ ids: [id] }), 1)
      assert.deepEqual(await worker.match(id, 'a'), [])
      const claim = (suspect: boolean) => {
        return inbox.claim(worker.id, { wanted: { a: 1 }, bytes: 1e6, suspect, now: Date.now() + minute })
      }
      assert.deepEqual(await claim(false), [])
      assert.equal(only(await claim(true)).suspect, true)
    },
  },
  {
    id: 'takeover-suspects-turns',
    name: 'lets the handlers of tasks that two killed processes ran take turns',
    needs: ['DeliveryReader'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const worker = await TestWorker.register(inbox, 'a', 'b')
      for (const id of await storeMany(inbox, 6)) await worker.match(id, due('a'), due('b'))
      const handlers = [
        { name: 'a', backoff: 1 },
        { name: 'b', backoff: 1 },
      ]
      for (let kills = 0; kills < 2; kills++) {
        const doomed = await store.startWorker({ handlers, wanted: { a: 6, b: 6 } })
        await doomed.kill()
        await allExpired(inbox, doomed.claimed)
      }
      const claimed = new Set<string>()
      await eventually('suspects of both handlers are claimed', async () => {
        const limits = { wanted: { a: 10, b: 10 }, bytes: 1e6, suspect: true, now: Date.now() + minute }
        for (const task of await inbox.claim(worker.id, limits)) {
          claimed.add(task.handler)
          await worker.finish(task, 'released')
        }
        return claimed.size === 2
      })
    },
  },
  {
    id: 'lease-blocked',
    name: 'keeps the leases of a worker whose handler blocks the event loop, and expires them when its process ends',
    needs: ['DeliveryReader'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const blocked = await storeNew(inbox)
      await worker.match(blocked, due('a'))
      const doomed = await store.startWorker({ handlers: policies('a', 'b'), wanted: { a: 1 }, blocked: true })
      try {
        // Each round takes as long as a lease without heartbeats needs to expire. During both rounds, the event loop of
        // `doomed` is blocked. But `doomed` still sends heartbeats, so it must keep its lease.
        for (const left of await storeMany(inbox, 2)) {
          const silent = await store.open()
          await (await TestWorker.register(silent, 'a', 'b')).match(left, 'b')
          await silent.close() // without a release: only the missing heartbeats show that the worker is dead
          await eventually(
            'the lease of the silent worker expires',
            async () => (await taskOf(inbox, left, 'b')).state !== 'running',
          )
        }
        await assertTasks(inbox, blocked, { a: 'running' })
      } finally {
        await doomed.kill()
      }
      await eventually(
        'the lease of the killed process expires',
        async () => (await taskOf(inbox, blocked, 'a')).state === 'retrying',
      )
    },
  },
  {
    id: 'fencing',
    name: 'ignores an outcome without a lease: from another worker, of another attempt, or repeated',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const other = await TestWorker.register(inbox, 'a')
      const id = await storeNew(inbox)
      const task = await worker.begin(id, 'a')
      assert.deepEqual(await other.finish(task, 'succeeded'), [])
      assert.deepEqual(await worker.finish({ ...task, attempt: 2 }, 'succeeded'), [])
      assert.deepEqual(await worker.finish({ ...task, handler: 'b' }, 'succeeded'), [])
      assert.deepEqual(await worker.finish({ ...task, id: id + 1000 }, 'succeeded'), [])
      await assertTasks(inbox, id, { a: 'running' })
      await worker.finish(task, 'failed')
      assert.deepEqual(await worker.finish(task, 'succeeded'), [])
      await assertTasks(inbox, id, { a: 'retrying' })
      const again = only(await worker.claim('a', 1, start + minute))
      assert.deepEqual(await worker.finish(task, 'succeeded'), [])
      await worker.finish(again, 'succeeded')
      assert.equal((await taskOf(inbox, id, 'a')).attempts.length, 2)
    },
  },
  {
    id: 'fencing-late',
    name: 'records the outcome of an attempt even if the same call has a late outcome of an earlier attempt',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const id = await storeNew(inbox)
      const first = await worker.begin(id, 'a')
      await worker.finish(first, 'failed')
      const second = only(await worker.claim('a', 1, start + minute))
      const outcomes = [first, second, second].map(({ attempt }) => {
        return { id, handler: 'a', attempt, outcome: 'succeeded', startedAt: start, duration: 1 } as const
      })
      assert.deepEqual(await inbox.finish(worker.id, outcomes), [{ id, state: 'done' }])
      const { attempts } = await taskOf(inbox, id, 'a')
      assert.deepEqual(
        attempts.map(({ outcome }) => outcome),
        ['failed', 'succeeded'],
      )
    },
  },
  {
    id: 'fencing-beside',
    name: 'ignores an outcome with a wrong attempt number, and records the other outcomes of the same call',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const id = await storeNew(inbox)
      const claimed = await worker.match(id, 'a', 'b')
      const outcomes = claimed.map(({ handler, attempt }) => {
        return {
          id,
          handler,
          attempt: handler === 'a' ? 7 : attempt,
          outcome: 'succeeded',
          startedAt: start,
          duration: 1,
        } as const
      })
      assert.deepEqual(await inbox.finish(worker.id, outcomes), [{ id, state: 'running' }])
      await assertTasks(inbox, id, { a: 'running', b: 'done' })
    },
  },
]

/** A delivery with a task of handler `a` that has lost its lease, and a worker that may claim the task. */
async function expireLease(host: InboxContractHost, policy: Omit<HandlerPolicy, 'name'>) {
  const store: ContractStore = await host.create()
  const inbox: Store = await store.open()
  const worker = await TestWorker.register(inbox, 'a')
  const id = await storeNew(inbox)
  await worker.match(id, due('a'))
  const after = Date.now()
  const work = { handlers: [{ name: 'a', ...policy }], wanted: { a: 1 } }
  const doomed: DoomedWorker = await store.startWorker(work)
  await doomed.kill()
  await eventually(
    'the lease of the killed process expires',
    async () => (await taskOf(inbox, id, 'a')).state === 'retrying',
  )
  return { inbox, worker, id, claimed: only(doomed.claimed), doomed, killed: { after } }
}

/** Claims the task when it is due again. */
function comesBack(worker: TestWorker) {
  return eventually('the task is due again', async () => (await worker.claim('a', 1, Date.now() + minute))[0])
}

/** Waits until the leases of all tasks have expired. */
async function allExpired(inbox: Store, claimed: readonly ClaimedTask[]): Promise<void> {
  await eventually('all leases expire', async () => {
    const tasks = await Promise.all(claimed.map(({ id, handler }) => taskOf(inbox, id, handler)))
    return tasks.every(({ state }) => state === 'retrying')
  })
}
