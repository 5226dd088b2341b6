import { randomUUID } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { NewDelivery } from '../../../src/inbox/inbox.ts'
import type { Database } from '../../../src/postgres/connection/database.ts'
import { body, get, load, lockUnmatched } from '../../../src/postgres/delivery-reader/read.ts'
import { packAll, Unpacker } from '../../../src/postgres/delivery-store/contents.ts'
import { encodeDelivery, storeNew } from '../../../src/postgres/delivery-store/store.ts'
import { pruneBatch } from '../../../src/postgres/operations/retention.ts'
import { bytesOf } from '../../inbox/fixtures.ts'
import { databases } from '../databases.ts'
import { createTables } from '../inbox.ts'

const { create } = databases()
let url: string
let database: Database

beforeAll(async () => {
  url = await create()
})

beforeEach(async () => {
  database = await createTables(url)
  return () => database.close()
})

const large = 64 * 1024
const headers = { 'x-github-event': 'push', 'x-title': 'naïve 🚀' }

const newDelivery = (bytes: Uint8Array, parts: Partial<NewDelivery> = {}): NewDelivery => ({
  ...{ source: '/hooks', hookId: '1', guid: randomUUID(), event: 'push', headers, body: bytes, form: 'json' },
  ...{ address: '192.0.2.1', receivedAt: 1, secretId: undefined, secretIndex: 0, algorithm: 'sha256' },
  ...parts,
})

/** Stores deliveries with one statement. @returns their ids, `undefined` for one that was not stored. */
async function storeTogether(...deliveries: NewDelivery[]): Promise<(number | undefined)[]> {
  const encoded = await Promise.all(deliveries.map(encodeDelivery))
  const { ids } = await database.statement((sql) => storeNew(sql, encoded, []))
  return encoded.map((_, index) => ids.get(index))
}

const packs = () =>
  database.all<{ id: number; last: number }>('select delivery_id as id, last from contents order by 1')

const bodies = [
  new Uint8Array(),
  bytesOf('{"text":"naïve 🚀 日本"}'.repeat(100)),
  Uint8Array.from({ length: 1000 }, (_, index) => (index * 97) % 256),
  new Uint8Array(large).fill(7),
  bytesOf('after a large one'),
  bytesOf('the last one'),
]

describe('deliveries that are stored together', () => {
  test('come back byte for byte, together and one by one', async () => {
    const ids = (await storeTogether(...bodies.map((one) => newDelivery(one)))) as number[]
    const loaded = await load(database, ids)
    expect(
      loaded.map((one) => [one.id, one.headers, Buffer.compare(one.body, bodies[ids.indexOf(one.id)] ?? one.body)]),
    ).toEqual(ids.map((id) => [id, headers, 0]))
    for (const [index, id] of ids.entries()) {
      expect(Buffer.compare((await body(database, id)) as Uint8Array, bodies[index] as Uint8Array)).toBe(0)
      expect(await get(database, id)).toMatchObject({ id, headers, size: bodies[index]?.length })
    }
  })

  test('share packs, and a large one has a pack of its own', async () => {
    const [first = 0, , third, fourth, fifth, last] = await storeTogether(...bodies.map((one) => newDelivery(one)))
    expect(await packs()).toEqual([
      { id: first, last: third },
      { id: fourth, last: fourth },
      { id: fifth, last },
    ])
  })

  test('are offered to a worker with their contents, whichever of them are unmatched', async () => {
    const ids = await storeTogether(...bodies.map((one) => newDelivery(one)))
    await database.run('update deliveries set matched = true where id = any($1::bigint[])', [ids[0], ids[4]])
    const rest = [1, 2, 3, 5]
    const offered = await lockUnmatched(database, { limit: 100, bytes: 1e9, ordered: false })
    expect(offered.map(({ id }) => id)).toEqual(rest.map((index) => ids[index]))
    const loaded = await load(database, rest.map((index) => ids[index]) as number[])
    expect(
      loaded.map((one) => Buffer.compare(one.body, bodies[rest[loaded.indexOf(one)] as number] as Uint8Array)),
    ).toEqual([...[0, 0, 0, 0]])
  })

  test('have a pack even if the first of them is stored already', async () => {
    const known = newDelivery(bytesOf('known'))
    await storeTogether(known)
    const [copy, second] = await storeTogether(known, newDelivery(bytesOf('new')))
    expect(copy).toBeUndefined()
    expect(new TextDecoder().decode(await body(database, second as number))).toBe('new')
    await storeTogether(known)
    expect(await packs()).toHaveLength(2)
  })

  test('keep their texts and numbers, and text that PostgreSQL does not accept is replaced', async () => {
    const parts = {
      ...{ source: '/\0"{}\\,naïve', hookId: '', guid: 'a\ud800"b', event: 'NULL', address: undefined },
      ...{ secretId: 'x', secretIndex: 3, algorithm: undefined, receivedAt: 2 ** 53 - 1, editedFrom: 4, trace: '00-1' },
      form: 'form',
    } as const
    const [id] = await storeTogether(newDelivery(bytesOf('x'), parts), newDelivery(bytesOf('y')))
    const stored = { ...parts, source: '/\ufffd"{}\\,naïve', guid: 'a\ufffd"b' }
    const { trace, ...detail } = stored
    expect(await get(database, id as number)).toMatchObject(detail)
    expect(await load(database, [id as number])).toMatchObject([{ trace }])
  })
})

test('a pack is deleted with the last of its deliveries', async () => {
  const three = ['a', 'b', 'c'].map((text, index) => newDelivery(bytesOf(text), { receivedAt: [1, 5, 3][index] ?? 0 }))
  const ids = await storeTogether(...three)
  await database.run(`update deliveries set state = 'done', matched = true`)
  const prune = (now: number) => database.transaction((transaction) => pruneBatch(transaction, 1, now))
  expect(await prune(3)).toBe(1)
  expect(await prune(5)).toBe(1)
  expect(new TextDecoder().decode(await body(database, ids[1] as number))).toBe('b')
  expect(await packs()).toHaveLength(1)
  expect(await prune(7)).toBe(1)
  expect(await packs()).toEqual([])
})

test('a pack is deleted if two transactions delete its last deliveries at the same time', async () => {
  await storeTogether(newDelivery(bytesOf('a'), { receivedAt: 1 }), newDelivery(bytesOf('b'), { receivedAt: 3 }))
  await database.run(`update deliveries set state = 'done', matched = true`)
  // Deletes these rows, so that the second transaction does not wait for one of them before it reaches the pack.
  await database.run('delete from state_counts')
  const [deleted, goesOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const first = database.transaction(async (transaction) => {
    await pruneBatch(transaction, 1, 3)
    deleted.resolve()
    await goesOn.promise
  })
  await deleted.promise
  const second = database.transaction((transaction) => pruneBatch(transaction, 1, 10))
  await expect.poll(() => database.get(`select 1 as waits from pg_locks where not granted`)).toEqual({ waits: 1 })
  goesOn.resolve()
  await Promise.all([first, second])
  expect(await packs()).toEqual([])
})

test('unpacks from more packs than it keeps', () => {
  const { packs, places } = packAll(bodies.map((one) => ({ headers: bytesOf('{}'), body: one })))
  const unpacker = new Unpacker()
  const read = (index: number, bytes = packs[places[index]?.pack ?? 0] as Buffer) => {
    const place = { bytes, start: places[index]?.start, headers_size: 2, size: bodies[index]?.length ?? 0 }
    return Buffer.compare(unpacker.unpack(place).body, bodies[index] as Uint8Array)
  }
  for (let round = 0; round < 10; round++) expect(read(1, Buffer.from(packs[0] as Buffer))).toBe(0)
  for (const index of bodies.keys()) expect(read(index)).toBe(0)
})
