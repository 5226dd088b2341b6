import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { ClaimedTask, Store } from '../../../src/inbox/inbox.ts'
import { TestWorker } from '../../../src/testing/inbox-contract/test-worker.ts'
import { stateIn, storeIn } from '../../inbox/stores.ts'
import { type Admin, openAdmin } from '../administered.ts'
import { handle } from './handled.ts'

/**
 * For each state except `discarded`, the outcome that `handle` needs to bring a new delivery into this state. `pending`
 * needs no outcome, because a new delivery is `pending`.
 */
const outcomes = {
  done: 'succeeded',
  dead: 'dead',
  retrying: 'failed',
  running: 'running',
  ignored: 'ignored',
  pending: undefined,
} as const
type State = keyof typeof outcomes

async function inState(inbox: Store, state: State): Promise<number> {
  const id = await storeIn(inbox, { state })
  const outcome = outcomes[state]
  if (outcome) await handle(inbox, id, { outcome })
  expect(await stateIn(inbox, id)).toBe(state)
  return id
}

/** A delivery in each state except `discarded`. */
async function inEachState(inbox: Store): Promise<Record<State, number>> {
  const ids: Partial<Record<State, number>> = {}
  for (const state of Object.keys(outcomes) as State[]) ids[state] = await inState(inbox, state)
  return ids as Record<State, number>
}

const statesIn = async ({ inbox }: Admin): Promise<Record<string, number>> => {
  const { states } = await inbox.overview()
  return Object.fromEntries(Object.entries(states).filter(([, count]) => count > 0))
}

describe('an operation on one delivery', () => {
  let admin: Admin
  beforeAll(async () => {
    admin = await openAdmin({ atTheEnd: afterAll })
  })

  test.each([
    ['retry', 'done', 200],
    ['retry', 'dead', 200],
    ['retry', 'retrying', 200],
    ['retry', 'ignored', 200],
    ['retry', 'running', 409],
    ['retry', 'pending', 409],
    ['discard', 'pending', 200],
    ['discard', 'running', 200],
    ['discard', 'retrying', 200],
    ['discard', 'dead', 200],
    ['discard', 'done', 409],
    ['discard', 'ignored', 409],
  ] as const)('%s in the state %s is answered %i', async (act, state, status) => {
    const id = await inState(admin.inbox, state)
    const answered = await admin.post(`/api/v1/deliveries/${id}/${act}`)
    expect(answered.status).toBe(status)
    if (status === 200) {
      expect(answered.json).toEqual({ count: 1 })
      expect(await stateIn(admin.inbox, id)).toBe(act === 'retry' ? 'pending' : 'discarded')
    } else {
      expect(answered.json).toMatchObject({ code: 'not_applicable', detail: expect.stringContaining(`is ${state}: `) })
      expect(await stateIn(admin.inbox, id)).toBe(state)
    }
  })

  test.each(['retry', 'discard'])('is answered 404 if the delivery does not exist: %s', async (act) => {
    const before = admin.recorder.lines.length
    for (const id of ['999', 'x', '0']) {
      const { status, json } = await admin.post(`/api/v1/deliveries/${id}/${act}`)
      expect([status, json.code]).toEqual([404, 'not_found'])
    }
    expect(admin.recorder.lines).toHaveLength(before)
  })

  test('may have a reason: discard', async () => {
    const [one, other] = [await storeIn(admin.inbox), await storeIn(admin.inbox)]
    await admin.post(`/api/v1/deliveries/${one}/discard`, { reason: 'was a test' })
    await admin.post(`/api/v1/deliveries/${other}/discard`)
    expect((await admin.get(`/api/v1/deliveries/${one}`)).json.reason).toBe('was a test')
    expect((await admin.get(`/api/v1/deliveries/${other}`)).json.reason).toBe('Discarded by an operator')
  })

  test.each([
    ['discard', { reason: '' }, 'reason'],
    ['discard', { reason: 7 }, 'reason'],
    ['discard', { reason: 'x'.repeat(1001) }, 'reason'],
    ['discard', { dryRun: true }, 'dryRun'],
    ['retry', { reason: 'x' }, 'reason'],
    ['retry', { dryRun: true }, 'dryRun'],
  ])('changes nothing if its body is invalid: %s, %#', async (act, body, name) => {
    const id = await inState(admin.inbox, 'dead')
    const { status, json } = await admin.post(`/api/v1/deliveries/${id}/${act}`, body)
    expect([status, json.errors[0].name]).toEqual([400, name])
    expect(await stateIn(admin.inbox, id)).toBe('dead')
  })
})

describe('many deliveries', () => {
  test('are selected by a query', async () => {
    const admin = await openAdmin()
    const { done } = await inEachState(admin.inbox)
    const extra = await storeIn(admin.inbox, {}, { event: 'ping' })
    await handle(admin.inbox, extra, { outcome: 'dead' })
    expect((await admin.post('/api/v1/deliveries/retry', { query: { state: 'dead', event: 'push' } })).json).toEqual({
      count: 1,
    })
    expect(await stateIn(admin.inbox, extra)).toBe('dead')
    expect((await admin.post('/api/v1/deliveries/retry', { query: { q: 'event:ping' } })).json).toEqual({ count: 1 })
    const older = { query: { before: extra }, dryRun: true }
    expect((await admin.post('/api/v1/deliveries/retry', older)).json).toEqual({ count: 3 })
    expect((await admin.post('/api/v1/deliveries/discard', { query: { since: 0, number: 7 } })).json).toEqual({
      count: 0,
    })
    const all = { query: {}, reason: 'all' }
    expect((await admin.post('/api/v1/deliveries/discard', { ...all, dryRun: true })).json).toEqual({ count: 5 })
    expect((await admin.post('/api/v1/deliveries/discard', { ...all, dryRun: false })).json).toEqual({ count: 5 })
    expect(await statesIn(admin)).toEqual({ done: 1, ignored: 1, discarded: 5 })
    expect(await stateIn(admin.inbox, done)).toBe('done')
  })

  test('are selected by their ids', async () => {
    const admin = await openAdmin()
    const { dead, done, pending } = await inEachState(admin.inbox)
    const ids = [dead, done, done, pending, 999]
    expect((await admin.post('/api/v1/deliveries/retry', { ids })).json).toEqual({ count: 2 })
    expect((await admin.post('/api/v1/deliveries/discard', { ids: [done, 999] })).json).toEqual({ count: 1 })
  })

  test('are selected by their ids and states', async () => {
    const admin = await openAdmin()
    const { dead, done, pending, retrying } = await inEachState(admin.inbox)
    const selection = { ids: [dead, done, pending, retrying, 999], states: ['dead', 'pending'] }
    expect((await admin.post('/api/v1/deliveries/retry', { ...selection, dryRun: true })).json).toEqual({ count: 1 })
    expect((await admin.post('/api/v1/deliveries/retry', selection)).json).toEqual({ count: 1 })
    expect(await stateIn(admin.inbox, done)).toBe('done')
    expect((await admin.post('/api/v1/deliveries/discard', { ids: [retrying], states: ['dead'] })).json.count).toBe(0)
    expect(await stateIn(admin.inbox, retrying)).toBe('retrying')
  })

  test('may be more than fit into one transaction', async () => {
    const admin = await openAdmin()
    const ids = await Promise.all(Array.from({ length: 1100 }, () => storeIn(admin.inbox)))
    const count = async (act: string, body: object) => (await admin.post(`/api/v1/deliveries/${act}`, body)).json.count
    expect(await count('discard', { query: {}, dryRun: true })).toBe(1100)
    expect(await count('discard', { ids, dryRun: true })).toBe(1100)
    expect(await count('discard', { ids })).toBe(1100)
    expect(await count('discard', { query: {}, dryRun: true })).toBe(0)
    expect(await count('retry', { query: {} })).toBe(1100)
  })
})

test.each<[string, (id: number) => object]>([
  ['get', (id) => ({ ids: [id], states: ['retrying'] })],
  ['list', () => ({ query: { state: 'retrying' } })],
])('a retry skips a delivery that succeeds after the server has read its state: %s', async (_, selectionOf) => {
  const admin = await openAdmin()
  const { inbox } = admin
  const worker = await TestWorker.register(inbox, 'a')
  const id = await storeIn(inbox)
  await worker.handle(id, { a: 'failed' })
  const retryNow = inbox.retry.bind(inbox)
  vi.spyOn(inbox, 'retry').mockImplementationOnce(async (...args) => {
    const [task] = await worker.claim('a', 1, Date.now())
    await worker.finish(task as ClaimedTask, 'succeeded')
    return retryNow(...args)
  })
  expect((await admin.post('/api/v1/deliveries/retry', selectionOf(id))).json).toEqual({ count: 0 })
  expect(await stateIn(inbox, id)).toBe('done')
})

test('an operation by a query answers when its time is over, and continues from there', async () => {
  const admin = await openAdmin()
  const ids = await Promise.all(Array.from({ length: 1100 }, () => storeIn(admin.inbox)))
  const discard = async (body: object) => (await admin.post('/api/v1/deliveries/discard', body)).json
  // Makes the clock advance by a minute whenever it is read.
  let now = 0
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 60_000))
  onTestFinished(() => clock.mockRestore())
  const query = { q: 'event:push' }
  const counted = await discard({ query, dryRun: true })
  expect(counted).toEqual({ count: 500, next: expect.any(String) })
  const newer = await storeIn(admin.inbox)
  expect((await discard({ query, cursor: counted.next, dryRun: true })).count).toBe(500)
  const first = await discard({ query, cursor: (await discard({ query })).next })
  expect(first).toEqual({ count: 500, next: expect.any(String) })
  expect(await discard({ query, cursor: first.next })).toEqual({ count: 101 })
  expect(await statesIn(admin)).toEqual({ discarded: ids.length + 1 })
  expect(await stateIn(admin.inbox, newer)).toBe('discarded')
})

test('a dry run of a retry counts unfinished deliveries if one of their handlers would run again', async () => {
  const admin = await openAdmin()
  const { inbox } = admin
  const worker = await TestWorker.register(inbox, 'a', 'b')
  const [running, oneDead, rearmed] = [await storeIn(inbox), await storeIn(inbox), await storeIn(inbox)]
  await worker.match(running, 'a', 'b')
  const [task] = await worker.match(oneDead, 'a', 'b')
  await worker.finish(task as ClaimedTask, 'dead')
  await worker.handle(rearmed, { a: 'dead' })
  await inbox.retry({ ids: [rearmed] }) // now waits to be matched
  const ids = [running, oneDead, rearmed]
  for (const selection of [{ query: {} }, { ids }, { query: { state: 'running' } }]) {
    expect((await admin.post('/api/v1/deliveries/retry', { ...selection, dryRun: true })).json).toEqual({ count: 1 })
  }
  expect((await admin.post('/api/v1/deliveries/retry', { ids })).json).toEqual({ count: 1 })
})

describe('a retry of one handler', () => {
  /** Two deliveries whose handler `a` has succeeded and whose handler `b` is dead. */
  async function twoDead(): Promise<{ admin: Admin; worker: TestWorker; ids: number[] }> {
    const admin = await openAdmin()
    const worker = await TestWorker.register(admin.inbox, 'a', 'b')
    const ids = [await storeIn(admin.inbox), await storeIn(admin.inbox)]
    for (const id of ids) await worker.handle(id, { a: 'succeeded', b: 'dead' })
    return { admin, worker, ids }
  }

  const tasksOf = async ({ inbox }: Admin, id: number) =>
    Object.fromEntries((await inbox.get(id))?.tasks.map(({ handler, state }) => [handler, state]) ?? [])

  test('leaves the other handlers of the delivery alone', async () => {
    const { admin, ids } = await twoDead()
    const [id = 0] = ids
    expect((await admin.post(`/api/v1/deliveries/${id}/retry`, { handler: 'a' })).json).toEqual({ count: 1 })
    expect(await tasksOf(admin, id)).toEqual({ a: 'pending', b: 'dead' })
    expect(admin.recorder.lines.at(-1)?.fields).toMatchObject({ act: 'retry', what: { ids: [id], handler: 'a' } })
  })

  test('works for many deliveries, and can be counted first', async () => {
    const { admin, worker, ids } = await twoDead()
    const waiting = await storeIn(admin.inbox) // waits to be matched again, with the tasks of its last run
    await worker.handle(waiting, { b: 'dead' })
    await admin.inbox.retry({ ids: [waiting] })
    const retry = async (body: object) => (await admin.post('/api/v1/deliveries/retry', { ...body, handler: 'b' })).json
    expect(await retry({ query: {}, dryRun: true })).toEqual({ count: 2 })
    expect(await retry({ ids, dryRun: true })).toEqual({ count: 2 })
    expect(await retry({ query: {} })).toEqual({ count: 2 })
    for (const id of ids) expect(await tasksOf(admin, id)).toEqual({ a: 'done', b: 'pending' })
    expect(await retry({ ids, dryRun: true })).toEqual({ count: 0 })
  })

  test('says why it changed nothing', async () => {
    const { admin, ids } = await twoDead()
    const [id = 0] = ids
    const detailOf = async (handler: string) => {
      const { status, json } = await admin.post(`/api/v1/deliveries/${id}/retry`, { handler })
      return [status, json.detail]
    }
    expect(await detailOf('c')).toEqual([409, `Delivery ${id} has no handler c: its handlers are a, b`])
    await admin.inbox.retry({ ids: [id] }, { handler: 'a' })
    expect(await detailOf('a')).toEqual([409, `Handler a of delivery ${id} is pending: it has still to run`])
    const fresh = await storeIn(admin.inbox)
    const { json } = await admin.post(`/api/v1/deliveries/${fresh}/retry`, { handler: 'a' })
    expect(json.detail).toBe(`Delivery ${fresh} has no handler a: it has none`)
    const invalid = await admin.post(`/api/v1/deliveries/${id}/retry`, { handler: ' ' })
    expect([invalid.status, invalid.json.errors[0].name]).toEqual([400, 'handler'])
  })
})

describe('deliveries that are not changed', () => {
  let admin: Admin
  let ids: Record<State, number>
  beforeAll(async () => {
    admin = await openAdmin({ atTheEnd: afterAll })
    ids = await inEachState(admin.inbox)
  })

  test.each([
    ['retry', { done: 1, dead: 1, retrying: 1, running: 0, ignored: 1, pending: 0 }],
    ['discard', { done: 0, dead: 1, retrying: 1, running: 1, ignored: 0, pending: 1 }],
  ])('are only counted by a dry run: %s', async (act, expected) => {
    const before = await statesIn(admin)
    for (const [state, count] of Object.entries(expected) as [State, number][]) {
      const by = [{ query: { state } }, { ids: [ids[state], 999] }]
      for (const selection of by) {
        const { json } = await admin.post(`/api/v1/deliveries/${act}`, { ...selection, dryRun: true })
        expect([state, json]).toEqual([state, { count }])
      }
    }
    expect(await statesIn(admin)).toEqual(before)
    expect(admin.recorder.lines).toEqual([])
  })

  test.each([
    [{}, ['ids, query']],
    [undefined, ['ids, query']],
    [{ ids: [1], query: {} }, ['ids, query']],
    [{ ids: [] }, ['ids']],
    [{ ids: 1 }, ['ids']],
    [{ ids: ['1'] }, ['ids']],
    [{ ids: [0] }, ['ids']],
    [{ ids: [1.5] }, ['ids']],
    [{ ids: Array.from({ length: 10_001 }, (_, index) => index + 1) }, ['ids']],
    [{ ids: [1], states: [] }, ['states']],
    [{ ids: [1], states: ['broken'] }, ['states']],
    [{ ids: [1], states: 'dead' }, ['states']],
    [{ query: {}, states: ['dead'] }, ['states']],
    [{ ids: [1], cursor: 'YmVmb3JlIDQy' }, ['cursor']],
    [{ query: {}, cursor: 'x' }, ['cursor']],
    [{ query: {}, cursor: 42 }, ['cursor']],
    [{ query: null }, ['query']],
    [{ query: [] }, ['query']],
    [{ query: 'state:dead' }, ['query']],
    [
      { query: { state: 'broken', event: true, q: '', limit: 5 } },
      ['query.state', 'query.event', 'query.q', 'query.limit'],
    ],
    [{ query: { before: 0 } }, ['query.before']],
    [{ query: { q: '\0' } }, ['query.q.words']],
    [{ query: { q: '"\n"' } }, ['query.q.words']],
    [{ query: { q: 'state:dead ""' } }, ['query.q.words']],
    [{ query: { state: null } }, ['query.state']],
    [{ query: {}, dryRun: 'yes' }, ['dryRun']],
    [{ query: {}, dryrun: true }, ['dryrun']],
    [{ state: 'dead' }, ['state']],
    ['{"query":{},"__proto__":{}}', ['__proto__']],
    [{ query: {}, reason: 5 }, ['reason']],
    [{ query: {}, search: 'state:dead' }, ['search']],
  ])('are not changed by the invalid selection %#', async (body, names) => {
    const before = await statesIn(admin)
    const { status, json } = await admin.post('/api/v1/deliveries/discard', body)
    expect(status).toBe(400)
    expect(json.errors.map(({ name }: { name: string }) => name)).toEqual(names)
    expect(await statesIn(admin)).toEqual(before)
  })

  test('are not changed by a query with states, and the answer says why', async () => {
    const { json } = await admin.post('/api/v1/deliveries/retry', { query: {}, states: ['dead'] })
    expect(json.detail).toBe('states: expected only together with ids (a query has the filter "state" instead)')
  })
})

describe('an operation', () => {
  test('is logged with the operator', async () => {
    const admin = await openAdmin()
    const { dead, pending } = await inEachState(admin.inbox)
    await admin.post(`/api/v1/deliveries/${dead}/retry`)
    await admin.post(`/api/v1/deliveries/${pending}/discard`, { reason: 'why not' })
    await admin.post('/api/v1/deliveries/retry', { query: { state: 'retrying' } })
    await admin.post('/api/v1/deliveries/discard', { ids: [dead], reason: 'enough' })
    const who = { access: 'token', address: '127.0.0.1' }
    expect(admin.recorder.lines.map(({ level, fields }) => [level, fields])).toEqual([
      ['info', { act: 'retry', what: { ids: [dead] }, count: 1, ...who }],
      ['info', { act: 'discard', what: { ids: [pending] }, count: 1, reason: 'why not', ...who }],
      ['info', { act: 'retry', what: { query: { state: 'retrying' } }, count: 1, ...who }],
      ['info', { act: 'discard', what: { ids: [dead] }, count: 1, reason: 'enough', ...who }],
    ])
  })
})
