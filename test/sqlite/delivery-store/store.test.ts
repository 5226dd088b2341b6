import { randomBytes } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import type { Call } from '../../../src/runtime/thread-server.ts'
import type { WriterCalls } from '../../../src/sqlite/threads.ts'
import { bytesOf, Engine, given, storing } from '../engine.ts'

/** Stores deliveries, at most a thousand, until one is rejected. @returns the error of the rejection. */
function fill(engine: Engine): Error {
  try {
    for (let count = 0; count < 1000; count++) engine.store({ body: randomBytes(4096) })
  } catch (error) {
    return error as Error
  }
  throw new Error('All of them were stored')
}

test('checkWritable leaves one small row after several calls, even if deliveries are stored with it', () => {
  const engine = new Engine()
  const check: Call<WriterCalls> = { method: 'checkWritable', args: [] }
  const answers = engine.writer.execute([check, storing(), check])
  expect(answers).toMatchObject([{ value: undefined }, { value: { id: 1 } }, { value: undefined }])
  const counts = ['deliveries', 'packs', 'changes', 'key_values'].map((table) => engine.count(table))
  expect(counts).toEqual([1, 1, 0, 1])
  expect(engine.store().id).toBe(2)
})

test('checkWritable does not keep deliveries of the same transaction from being stored when it fails', () => {
  const engine = new Engine()
  engine.writing.db.exec(`
    create trigger fails before insert on deliveries when new.event = '' begin select raise(abort, 'no check'); end`)
  const answers = engine.writer.execute([
    storing({ guid: 'a' }),
    { method: 'checkWritable', args: [] },
    storing({ guid: 'b' }),
  ])
  expect(answers).toMatchObject([
    { value: { id: 1, outcome: 'stored' } },
    { error: { message: 'no check' } },
    { value: { id: 2, outcome: 'stored' } },
  ])
  expect(engine.count('packs')).toBe(2)
})

test('checkWritable fails when the database may not grow any more', () => {
  const engine = new Engine()
  const { pages } = engine.writing.get('select page_count as pages from pragma_page_count') as { pages: number }
  engine.writing.db.exec(`pragma max_page_count = ${pages + 5}`)
  expect(fill(engine).message).toBe('database or disk is full')
  expect(() => engine.write('checkWritable')).toThrow('database or disk is full')
})

test('checkWritable fails when maxSize is reached', () => {
  const engine = new Engine(undefined, { maxSize: 1024 * 1024 })
  expect(fill(engine).message).toContain('maxSize of 1048576 bytes')
  expect(() => engine.write('checkWritable')).toThrow('maxSize of 1048576 bytes')
})

test('checkWritable fails when a page of the identity index is damaged', () => {
  const whole = new Engine()
  whole.store()
  const { path } = whole
  damage(whole, 'deliveries_identity')
  const engine = new Engine(path)
  expect(() => engine.store()).toThrow('malformed')
  expect(() => engine.write('checkWritable')).toThrow('malformed')
})

/** Closes the engine and overwrites the root page of an index. */
function damage(engine: Engine, index: string): void {
  const row = engine.writing.get<{ page: number; size: number }>(selectPage, index)
  engine.close()
  if (!row) throw new Error(`There is no index ${index}`)
  const file = openSync(engine.path, 'r+')
  writeSync(file, Buffer.alloc(row.size, 0xff), 0, row.size, (row.page - 1) * row.size)
  closeSync(file)
}

const selectPage = `
  select rootpage as page, page_size as size
  from sqlite_schema, pragma_page_size
  where type = 'index' and name = ?`

test('imports a delivery with known GUID and other bytes after the first delivery with this GUID was deleted', () => {
  const engine = new Engine()
  const { id } = engine.store({ guid: 'g' })
  const exported = engine.detail(engine.store({ guid: 'g', body: bytesOf({ variant: 1 }) }).id)
  engine.writing.run('delete from deliveries where id = ?', id)
  const imported = { delivery: exported, body: bytesOf({ variant: 2 }) }
  const answers = engine.writer.execute([{ method: 'importDeliveries', args: [[imported]] }])
  expect(given(answers[0])).toBe(1)
})

describe('many deliveries with the same identity and different bytes', () => {
  const conflict = (variant: number) => ({ guid: 'g', body: bytesOf({ variant }) })

  test('are found without reading those with other bytes', () => {
    const engine = new Engine()
    for (let variant = 0; variant < 20; variant++) engine.store(conflict(variant))
    const all = vi.spyOn(engine.writing, 'all')
    expect(engine.store(conflict(15))).toEqual({ id: 16, outcome: 'duplicate', conflict: true })
    expect(engine.store(conflict(20))).toEqual({ id: 21, outcome: 'stored', conflict: true })
    const rows = all.mock.results.map(({ value }) => value.length)
    expect(rows).toEqual([1, 1, 1, 0])
  })

  test('are found if an earlier version stored them with the identity of the first one', () => {
    const engine = new Engine()
    for (let variant = 0; variant < 3; variant++) engine.store(conflict(variant))
    engine.writing.run(`
      update deliveries set variant = id - 1, identity = (select identity from deliveries where variant = 0)`)
    expect(engine.store(conflict(2))).toEqual({ id: 3, outcome: 'duplicate', conflict: true })
    expect(engine.store(conflict(3))).toEqual({ id: 4, outcome: 'stored', conflict: true })
    expect(engine.store(conflict(3))).toEqual({ id: 4, outcome: 'duplicate', conflict: true })
  })
})
