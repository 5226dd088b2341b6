import { randomBytes } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { NewDelivery } from '../../../src/inbox/inbox.ts'
import type { Call, ToThread } from '../../../src/runtime/thread-server.ts'
import { prepareFile } from '../../../src/sqlite/connection/open.ts'
import { large } from '../../../src/sqlite/delivery-store/packs.ts'
import { StoreQueue } from '../../../src/sqlite/delivery-store/store-queue.ts'
import { resolveSqliteOptions } from '../../../src/sqlite/options.ts'
import { type WriterCalls, writerThread } from '../../../src/sqlite/threads.ts'
import { Engine, newDelivery, newFile } from '../engine.ts'

const post = vi.spyOn(Worker.prototype, 'postMessage')
afterEach(() => void post.mockClear())

function open(path = newFile(), maxPending?: number) {
  prepareFile(path)
  const writer = writerThread({ path, ...resolveSqliteOptions({}) })
  onTestFinished(() => writer.close())
  const queue = new StoreQueue(writer, maxPending)
  const store = (more: Partial<NewDelivery> = {}) => {
    const stored = queue.add(newDelivery(more))
    if (!stored) throw new Error('The delivery is large')
    return stored
  }
  return { writer, queue, store }
}

/** The calls of each message, in order. */
const messages = (): Call<WriterCalls>[][] =>
  post.mock.calls
    .map(([message]) => message as ToThread<WriterCalls>)
    .flatMap((message) => (typeof message === 'object' && 'calls' in message ? [[...message.calls]] : []))
const methods = () => messages().map((calls) => calls.map(({ method }) => method))
const lastThread = () => post.mock.contexts.at(-1) as Worker
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

describe('deliveries', () => {
  test('of one turn of the event loop share a batch, as do those that arrive during a commit', async () => {
    const { store } = open()
    const first = ['a', 'b', 'a'].map((guid) => store({ guid }))
    await nextTurn()
    const later = ['c', 'd'].map((guid) => store({ guid }))
    expect((await Promise.all([...first, ...later])).map(({ id, outcome }) => [id, outcome])).toEqual([
      ...[[1, 'stored'] as const, [2, 'stored'] as const, [1, 'duplicate'] as const],
      ...[[3, 'stored'] as const, [4, 'stored'] as const],
    ])
    expect(methods()).toEqual([['storeBatch'], ['storeBatch']])
  })

  test('are committed with the calls of the same turn of the event loop', async () => {
    const { store, writer } = open()
    await Promise.all([store(), writer.call('pause', 'a'), store()])
    expect(methods()).toEqual([['storeBatch', 'pause']])
  })

  test('that do not fit into one batch are several batches in one message', async () => {
    const { store } = open()
    const body = randomBytes(200_000)
    const stored = await Promise.all(Array.from({ length: 12 }, () => store({ body })))
    expect(stored.map(({ id }) => id)).toEqual(Array.from({ length: 12 }, (_, index) => index + 1))
    expect(methods()).toEqual([['storeBatch', 'storeBatch', 'storeBatch']])
  })

  test('that are large or have many headers are not batched', () => {
    const { queue } = open()
    expect(queue.add(newDelivery({ body: new Uint8Array(large) }))).toBeUndefined()
    expect(queue.add(newDelivery({ headers: { 'x-long': 'a'.repeat(large) } }))).toBeUndefined()
  })

  test('fail individually', async () => {
    const { store } = open()
    const invalid = { event: null as never }
    const stored = [store({ guid: 'a' }), store(invalid), store({ guid: 'b' })]
    const outcomes = await Promise.allSettled(stored)
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    await expect(stored[1]).rejects.toBeInstanceOf(Error)
    await expect(stored[1]).rejects.toMatchObject({ code: 'ERR_SQLITE_ERROR', errcode: 1299 })
    expect(await store({ guid: 'b' })).toMatchObject({ outcome: 'duplicate' })
    await expect(store(invalid)).rejects.toMatchObject({ errcode: 1299 })
  })

  test('are rejected while too many are not committed yet', async () => {
    const { store } = open(undefined, 2)
    const first = [store(), store({ event: null as never })]
    await expect(store()).rejects.toThrow('2 deliveries are waiting for a commit')
    await Promise.allSettled(first)
    expect(await store()).toMatchObject({ outcome: 'stored' })

    const lost = [store(), store()]
    await lastThread().terminate()
    await Promise.allSettled(lost)
    expect(await store()).toMatchObject({ outcome: 'stored' })
  })

  test('are rejected if the thread dies, and the next deliveries go to another thread', async () => {
    const { store } = open()
    await store()
    const lost = [store({ guid: 'a' }), store({ guid: 'b' })]
    await lastThread().terminate()
    const outcomes = await Promise.allSettled(lost)
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await expect(lost[0]).rejects.toThrow('The thread "hookserver writer" ended')
    expect(await store()).toMatchObject({ outcome: 'stored' })
  })

  test('are rejected if they arrive after `close`', async () => {
    const { store, writer } = open()
    const stored = store()
    const closed = writer.close()
    expect(await stored).toMatchObject({ outcome: 'stored' })
    await expect(store()).rejects.toThrow('The inbox is closed')
    await closed
  })

  test('are counted, without those that failed', async () => {
    const published = vi.fn()
    subscribe('hookserver:committed', published)
    onTestFinished(() => void unsubscribe('hookserver:committed', published))
    const { store } = open()
    await Promise.allSettled([store(), store({ event: null as never }), store()])
    expect(published.mock.calls.map(([{ deliveries }]) => deliveries)).toEqual([2])
  })
})

test('two buffers are reused for all batches', async () => {
  const path = newFile()
  const { store } = open(path)
  const guids = Array.from({ length: 20 }, (_, index) => `${index}`)
  const stored: Promise<{ id: number }>[] = []
  for (const guid of guids) {
    stored.push(store({ guid, body: new TextEncoder().encode(guid) }))
    await nextTurn()
  }
  const ids = (await Promise.all(stored)).map(({ id }) => id)
  const allocated = vi.spyOn(Buffer, 'allocUnsafeSlow')
  onTestFinished(() => allocated.mockRestore())
  const first = store()
  await nextTurn()
  await Promise.all([first, store()])
  expect(allocated).not.toHaveBeenCalled()
  const engine = new Engine(path)
  const bodies = ids.map((id) => new TextDecoder().decode(engine.read('body', id)))
  expect(bodies).toEqual(guids)
})
