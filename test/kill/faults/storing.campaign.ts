import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { startReceiver } from './receiving.ts'
import { afterwards, eventually, temporaryFolder } from './scene.ts'

const unavailable = {
  status: 503,
  retryAfter: expect.stringMatching(/^\d+$/),
  text: expect.stringContaining('"code":"inbox_unavailable"'),
}
const newFile = () => join(temporaryFolder(), 'inbox.db')
const size = 1024 * 1024

type Receiver = Awaited<ReturnType<typeof startReceiver>>

/** Sends until the inbox is full. @returns the GUIDs of the stored deliveries. */
async function fill({ send }: Receiver, bytes: number): Promise<string[]> {
  const stored: string[] = []
  for (;;) {
    const { guid, ...answer } = await send({ bytes })
    if (answer.status !== 202) {
      expect(answer).toEqual(unavailable)
      return stored
    }
    stored.push(guid)
  }
}

/** Waits until no delivery is unfinished or dead, and checks that all `stored` ones were handled, even pruned ones. */
async function allHandled({ inbox, handled }: Receiver, stored: readonly string[]): Promise<void> {
  await eventually(async () => {
    const { pending, retrying, running, dead } = (await inbox.overview()).states
    expect([pending, retrying, running, dead]).toEqual([0, 0, 0, 0])
  })
  expect(stored.filter((guid) => !handled.has(guid))).toEqual([])
}

describe('a full file', () => {
  test.each([1_000, 10_000, 100_000])(
    'rejects deliveries of %i bytes with 503, still runs handlers, and stores such deliveries after pruning',
    async (bytes) => {
      const receiver = await startReceiver(newFile(), { maxSize: size }, false)
      const stored = await fill(receiver, bytes)
      expect(stored.length).toBeGreaterThan(5)
      expect(await receiver.inbox.prune(Date.now())).toBe(0) // no delivery has ended, so none can be pruned
      expect(await receiver.send({ bytes })).toMatchObject(unavailable)

      receiver.hooks.work()
      await allHandled(receiver, stored)
      await receiver.inbox.prune(Date.now())
      expect(await receiver.send({ bytes })).toMatchObject({ status: 202 })
    },
  )

  test('stores deliveries again after other deliveries were discarded', async () => {
    const receiver = await startReceiver(newFile(), { maxSize: size }, false)
    const { inbox, send } = receiver
    const stored = await fill(receiver, 10_000)
    expect(await inbox.discard({ query: { state: 'pending' } }, 'to make room')).toBe(stored.length)
    await inbox.prune(Date.now())
    expect(await send({ bytes: 10_000 })).toMatchObject({ status: 202 })
  })

  test('stores deliveries as long as finished ones can be deleted', async () => {
    const receiver = await startReceiver(newFile(), { maxSize: size })
    const stored: string[] = []
    while (stored.length < 300) {
      if (stored.length % 20 === 0) await allHandled(receiver, stored) // on a busy machine, the worker may lag behind
      const { guid, ...answer } = await receiver.send({ bytes: 10_000 }) // in total three times maxSize
      expect(answer).toMatchObject({ status: 202 })
      stored.push(guid)
    }
    await allHandled(receiver, stored)
  })
})

test('answers 503 while another program holds the lock, without blocking other requests', async () => {
  const file = newFile()
  const { send, other, inbox } = await startReceiver(file, { lockTimeout: 300 })
  expect(await send()).toMatchObject({ status: 202 })
  const holder = new DatabaseSync(file, { timeout: 10_000 })
  afterwards(() => holder.close())
  holder.exec('begin exclusive')

  let answered = false
  const rejected = Promise.all([send(), send(), send()]).finally(() => (answered = true))
  let others = 0
  while (!answered && others < 1000) {
    expect(await other()).toBe('other')
    others++
  }
  for (const { guid: _guid, ...answer } of await rejected) expect(answer).toEqual(unavailable)
  expect(others).toBeGreaterThan(10)

  holder.exec('rollback')
  const { guid, ...answer } = await send()
  expect(answer).toMatchObject({ status: 202 })
  const found = async () => (await inbox.list({ guid })).deliveries.map(({ state }) => state)
  await eventually(async () => expect(await found()).toEqual(['done']))
})
