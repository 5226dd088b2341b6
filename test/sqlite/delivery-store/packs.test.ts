import { createHash, randomBytes } from 'node:crypto'
import { zstdDecompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Answer, Call } from '../../../src/runtime/thread-server.ts'
import { large, unpack } from '../../../src/sqlite/delivery-store/packs.ts'
import { encodeDelivery } from '../../../src/sqlite/delivery-store/store.ts'
import type { WriterCalls } from '../../../src/sqlite/threads.ts'
import { Engine, failing, given, newDelivery, storing } from '../engine.ts'

const bodies: [string, Uint8Array][] = [
  ['nothing', new Uint8Array()],
  ['text beyond ASCII', new TextEncoder().encode('{"text":"naïve 🚀 日本"}'.repeat(100))],
  ['any bytes', Uint8Array.from({ length: 1000 }, (_, i) => (i * 97) % 256)],
  ['a view into a larger buffer', new Uint8Array(Uint8Array.from({ length: 300 }, (_, i) => i % 256).buffer, 7, 100)],
  ['a large body', new Uint8Array(large).fill(7)],
]
const headers = { 'x-github-event': 'push', 'x-title': 'naïve 🚀' }

function bodyOf(engine: Engine, id: number): Uint8Array {
  const body = engine.read('body', id)
  if (!body) throw new Error(`There is no delivery ${id}`)
  return body
}

/** Stores deliveries in one transaction. @returns their ids. */
async function storeTogether(engine: Engine, contents: readonly Uint8Array[]): Promise<number[]> {
  const calls = contents.map(async (body): Promise<Call<WriterCalls>> => {
    return { method: 'store', args: [await encodeDelivery(newDelivery({ body, headers }))] }
  })
  return engine.writer.execute(await Promise.all(calls)).map((answer: Answer) => given<{ id: number }>(answer).id)
}

const packsOf = (engine: Engine) => engine.writing.all<{ id: number; last: number }>('select id, last from packs')

describe('a delivery', () => {
  test.each(bodies)('with %s is returned byte for byte, with its hash and its size', async (_name, body) => {
    const engine = new Engine()
    const [id] = (await storeTogether(engine, [body])) as [number]
    const detail = engine.detail(id)
    expect(Buffer.compare(bodyOf(engine, id), body)).toBe(0)
    expect(detail.sha256).toBe(createHash('sha256').update(body).digest('hex'))
    expect([detail.size, detail.headers]).toEqual([body.length, headers])
  })

  test('is stored as zstd, and small', async () => {
    const engine = new Engine()
    const [, [, text]] = bodies as [unknown, [string, Uint8Array]]
    await storeTogether(engine, [text])
    const [row] = engine.writing.all<{ bytes: Uint8Array }>('select bytes from packs')
    const bytes = row?.bytes as Uint8Array
    expect(zstdDecompressSync(bytes).length).toBe(Buffer.byteLength(JSON.stringify(headers)) + text.length)
    expect(bytes.length).toBeLessThan(text.length / 10)
  })
})

describe('the deliveries of one transaction', () => {
  test('form one pack, with the id of the first delivery', async () => {
    const engine = new Engine()
    engine.store()
    const contents = bodies.slice(0, 4).map(([, body]) => body)
    const ids = await storeTogether(engine, contents)
    expect(packsOf(engine)).toEqual([
      { id: 1, last: 1 },
      { id: 2, last: 5 },
    ])
    for (const [index, id] of ids.entries()) {
      expect(Buffer.compare(bodyOf(engine, id), contents[index] as Uint8Array)).toBe(0)
    }
  })

  test('form several packs if they are large together', async () => {
    const engine = new Engine()
    const contents = [1, 2, 3].map((n) => new Uint8Array(100 * 1024).fill(n))
    const ids = await storeTogether(engine, contents)
    expect(packsOf(engine)).toEqual([
      { id: 1, last: 2 },
      { id: 3, last: 3 },
    ])
    expect(ids.map((id) => bodyOf(engine, id)[0])).toEqual([1, 2, 3])
  })

  test('each have a pack of their own if they are large, and share a pack if they are not', async () => {
    const engine = new Engine()
    const contents = [1, 2, 3].map((n) => new Uint8Array(n === 2 ? large : 10).fill(n))
    const ids = await storeTogether(engine, contents)
    expect(packsOf(engine)).toEqual([
      { id: 1, last: 3 },
      { id: 2, last: 2 },
    ])
    expect(ids.map((id) => bodyOf(engine, id)[0])).toEqual([1, 2, 3])
  })

  test('have a pack of their own if they are imported and larger than a pack', async () => {
    const engine = new Engine()
    const [first] = (await storeTogether(engine, [new Uint8Array(9)])) as [number]
    const bodies = [large + 1, 10].map((size) => randomBytes(size))
    const imported = bodies.map((body, index) => ({ delivery: { ...engine.detail(first), guid: `${index}` }, body }))
    expect(engine.write('importDeliveries', imported)).toBe(2)
    expect(packsOf(engine).map(({ id }) => id)).toEqual([1, 2, 3])
    for (const [index, body] of bodies.entries()) expect(Buffer.compare(bodyOf(engine, index + 2), body)).toBe(0)
  })

  test('create no pack if all of them are stored already', () => {
    const engine = new Engine()
    engine.store({ guid: 'a' })
    engine.store({ guid: 'a' })
    expect(packsOf(engine)).toEqual([{ id: 1, last: 1 }])
  })

  test('have packs that contain nothing of a delivery that failed', () => {
    const engine = new Engine()
    engine.writer.execute([storing(), failing()])
    expect(packsOf(engine)).toEqual([{ id: 1, last: 1 }])
    const { id } = engine.store({ body: new TextEncoder().encode('{"later":true}') })
    expect(new TextDecoder().decode(engine.read('body', id))).toBe('{"later":true}')
  })
})

describe('a pack', () => {
  test('is deleted with the last of its deliveries', async () => {
    const engine = new Engine(undefined, { retention: '1ms' })
    const worker = engine.registerWorker('a')
    const [first, second] = (await storeTogether(engine, [new Uint8Array(9), new Uint8Array(8)])) as [number, number]
    const end = (id: number) => engine.finish(worker, engine.dispatch(worker, id, 'a')[0] as never, 'succeeded')
    end(first)
    expect(engine.maintenance.prune(1e12)).toBe(1)
    expect(engine.read('body', second)).toHaveLength(8)
    end(second)
    expect(engine.maintenance.prune(1e12)).toBe(1)
    expect(engine.count('packs')).toBe(0)
  })

  test('that ends too early, or is missing, is an error', () => {
    const engine = new Engine()
    const { id } = engine.store()
    const place = { pack: id, start: 0, headers_size: 10, size: 10 }
    expect(() => unpack(engine.writing, { ...place, size: 1e6 })).toThrow('The pack is too short')
    expect(() => unpack(engine.writing, { ...place, pack: 99 })).toThrow('Its pack is gone')
  })
})
