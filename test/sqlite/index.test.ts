import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { zstdDecompressSync } from 'node:zlib'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { sqlite } from '../../dist/sqlite/index.js' // its threads start in two thirds of the time
import type { Store } from '../../src/inbox/inbox.ts'
import type { SqliteOptions } from '../../src/sqlite/options.ts'
import { recordMatches, unmatched } from '../../src/testing/inbox-contract/matching.ts'
import { Engine, newDelivery, newFile } from './engine.ts'

function open(path = newFile(), options?: SqliteOptions): Store {
  const inbox = sqlite(path, options)
  onTestFinished(() => inbox.close())
  return inbox
}

const old = process.cwd()
afterEach(() => process.chdir(old))

function messageOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('Nothing was thrown')
}

describe('sqlite()', () => {
  test.each([undefined, null, '', ':memory:', ':memory:?cache=shared', 5, {}])(
    'needs the path of a file, not %j',
    (path) => {
      expect(() => sqlite(path as string)).toThrow(TypeError)
      expect(() => sqlite(path as string)).toThrow(/expected the path of a file/)
    },
  )

  test.each([
    'postgres://me:hidden@db.example/hooks',
    '"postgres://me:hidden@db.example/hooks"',
    ':memory:postgres://me:hidden@db.example/hooks',
    new URL('postgres://me:hidden@db.example/hooks'),
  ])('rejects a URL, and shows no part of it', (path) => {
    const error = messageOf(() => sqlite(path as string))
    expect(error).toMatch(/^sqlite\(path\): expected the path of a file/)
    expect(error).not.toMatch(/hidden|db\.example/)
  })

  test('checks its options before it creates the file', () => {
    const path = newFile()
    expect(() => sqlite(path, { retention: 0 })).toThrow(/"retention"/)
    expect(() => new Engine(path)).not.toThrow()
  })

  test('resolves a relative path when it is called', async () => {
    const path = newFile()
    process.chdir(path.slice(0, path.lastIndexOf('/')))
    const inbox = open('hookserver.db')
    process.chdir(old)
    await inbox.store(newDelivery())
    await inbox.close()
    expect(new Engine(path).count('deliveries')).toBe(1)
  })
})

describe('bytes', () => {
  test('are returned unchanged: emoji, a view into another buffer, and bodies that are compressed first', async () => {
    const inbox = open()
    const around = randomBytes(5000)
    const bodies = [
      new TextEncoder().encode('{"text":"🚀 naïve 日本"}'),
      around.subarray(100, 400),
      new Uint8Array(),
      randomBytes(256 * 1024),
      new TextEncoder().encode(`{"text":"${'é'.repeat(200_000)}"}`),
    ]
    for (const body of bodies) {
      const { id } = await inbox.store(newDelivery({ body }))
      const [kept, [loaded]] = [await inbox.body(id), await inbox.load([id])]
      expect(Buffer.compare(kept as Uint8Array, body)).toBe(0)
      expect(Buffer.compare(loaded?.body as Uint8Array, body)).toBe(0)
      expect((await inbox.get(id))?.size).toBe(body.length)
    }
  })

  test('of the caller are not changed or moved', async () => {
    const inbox = open()
    const [body, large] = [new TextEncoder().encode('{"a":1}'), randomBytes(300_000)]
    for (const bytes of [body, large]) {
      const before = Buffer.from(bytes)
      await inbox.store(newDelivery({ body: bytes }))
      expect(Buffer.compare(bytes, before)).toBe(0)
    }
  })

  test('are recognized however they were compressed, and stored once', async () => {
    const path = newFile()
    const inbox = open(path)
    const one = newDelivery({ body: new Uint8Array(1_000_000) })
    const { id } = await inbox.store(one)
    expect(await inbox.store(one)).toEqual({ id, outcome: 'duplicate', conflict: false })
    await inbox.close()
    const { writing } = new Engine(path)
    const [row] = writing.all<{ bytes: Uint8Array; headers_size: number }>(
      'select bytes, headers_size from packs, deliveries',
    )
    expect(row?.bytes.length).toBeLessThan(1000)
    expect(zstdDecompressSync(row?.bytes as Uint8Array)).toHaveLength((row?.headers_size ?? 0) + 1_000_000)
  })
})

describe('two inboxes with one file', () => {
  test('read each other’s deliveries', async () => {
    const path = newFile()
    const [one, two] = [open(path), open(path)]
    const first = newDelivery()
    const { id } = await one.store(first)
    expect(await two.store(first)).toEqual({ id, outcome: 'duplicate', conflict: false })
    expect(await unmatched(two, 10, 1e6)).toMatchObject([{ id, guid: first.guid }])
  })

  test('store deliveries at the same time, each with an id of its own', async () => {
    const path = newFile()
    const inboxes = [open(path), open(path)]
    const stored = Array.from({ length: 200 }, (_, i) => (inboxes[i % 2] as Store).store(newDelivery()))
    const ids = (await Promise.all(stored)).map(({ id }) => id)
    expect(new Set(ids).size).toBe(200)
  })
})

describe('several processes at one file', () => {
  test('keep all deliveries, even if one opens the file twice and another opens and closes it', async () => {
    const path = newFile()
    const [one, two] = [open(path), open(path)]
    await one.store(newDelivery({ guid: 'first' }))
    const again = open(path)
    const module = JSON.stringify(new URL('../../dist/sqlite/index.js', import.meta.url).href)
    const program = `
      import { sqlite } from ${module}
      const inbox = sqlite(${JSON.stringify(path)})
      const unsigned = { source: '', hookId: '', event: 'push', headers: {}, body: new Uint8Array(1), form: 'json' }
      await inbox.store({ ...unsigned, guid: 'from the other process', receivedAt: 1 })
      await inbox.close()`
    const args = ['--input-type=module', '-e', program]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
    expect(await once(child, 'exit')).toEqual([0, null])
    await two.store(newDelivery({ guid: 'last' }))
    await again.store(newDelivery({ guid: 'very last' }))
    const all = ['very last', 'last', 'from the other process', 'first']
    for (const inbox of [one, two, again])
      expect((await inbox.list({})).deliveries.map(({ guid }) => guid)).toEqual(all)
    for (const inbox of [one, two, again]) await inbox.close()
    expect((await open(path).list({})).deliveries.map(({ guid }) => guid)).toEqual(all)
  })
})

describe('under node --watch', () => {
  test('ignores the messages in which the threads report their imports', async () => {
    vi.stubEnv('WATCH_REPORT_DEPENDENCIES', '1') // as --watch sets it for its child process
    onTestFinished(() => void vi.unstubAllEnvs())
    const inbox = open()
    expect(await inbox.store(newDelivery())).toMatchObject({ outcome: 'stored' })
    expect((await inbox.overview()).states.pending).toBe(1)
  })
})

describe('the deliveries of a selection', () => {
  test('are found page by page, and no others', async () => {
    const inbox = open()
    const worker = await inbox.registerWorker([])
    const many = await Promise.all(Array.from({ length: 1200 }, () => inbox.store(newDelivery({ event: 'push' }))))
    const { id: other } = await inbox.store(newDelivery({ event: 'fork' }))
    const ids = [...many.map(({ id }) => id), other]
    await recordMatches(
      inbox,
      worker,
      ids.map((id) => ({ id, summary: {}, tasks: [] })),
      0,
    )
    expect((await inbox.overview()).states.ignored).toBe(1201)
    expect(await inbox.retry({ query: { event: 'push', limit: 10 } })).toBe(1200)
    expect((await inbox.overview()).states).toMatchObject({ ignored: 1, pending: 1200 })
    expect(await inbox.discard({ query: { event: 'push' } }, 'no more')).toBe(1200)
    expect(await inbox.discard({ ids: [other] }, 'no more')).toBe(0)
  })

  test('are the deliveries before the one that `before` names', async () => {
    const inbox = open()
    const ids: number[] = []
    for (let i = 0; i < 4; i++) ids.push((await inbox.store(newDelivery())).id)
    expect(await inbox.discard({ query: { before: ids[2] } }, 'old')).toBe(2)
    const states = await Promise.all(ids.map(async (id) => (await inbox.get(id))?.state))
    expect(states).toEqual(['discarded', 'discarded', 'pending', 'pending'])
  })
})
