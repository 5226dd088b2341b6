import { describe, expect, test } from 'vitest'
import { Engine } from '../engine.ts'

describe('a damaged body', () => {
  test('is reported with its delivery, and other bodies can still be read', () => {
    const engine = new Engine()
    const [bad, good] = [engine.store().id, engine.store().id]
    engine.writing.run('update packs set bytes = ? where id = ?', Uint8Array.of(1, 2, 3), bad)
    for (const read of [engine.read('readUnmatched', 10, 1e6, 0), engine.read('load', [bad, good])]) {
      expect(read.map(({ id, damaged }) => [id, typeof damaged])).toEqual([
        [bad, 'string'],
        [good, 'undefined'],
      ])
      expect([read[0]?.body.length, (read[1]?.body.length ?? 0) > 0]).toEqual([0, true])
    }
    expect(engine.detail(bad).state).toBe('pending')
    expect(() => engine.read('body', bad)).toThrow()
  })
})

describe('the latest failure of a handler', () => {
  test('is found however many attempts of other handlers are newer', () => {
    const engine = new Engine()
    engine.writing.run(`
      insert into attempts (delivery_id, handler, number, started_at, duration, outcome, error) values
        (1, 'a', 1, 100, 50, 'dead', 'Error: first' || char(10) || '    at a'),
        (2, 'a', 1, 110, 10, 'failed', 'Error: ended earlier'),
        (3, 'a', 1, 900, 10, 'succeeded', null)`)
    engine.writing.run(`
      with recursive n (i) as (select 10 union all select i + 1 from n where i < 5000)
      insert into attempts (delivery_id, handler, number, started_at, duration, outcome, error)
      select i, 'b', 1, i, 1, iif(i = 4000, 'failed', 'succeeded'), iif(i = 4000, 'Error: b', null) from n`)
    expect(engine.read('failures')).toEqual([
      { handler: 'a', id: 1, at: 150, error: 'Error: first' },
      { handler: 'b', id: 4000, at: 4001, error: 'Error: b' },
    ])
  })
})

describe('unmatched deliveries', () => {
  test('are read oldest first until the bytes are used up, at least one', () => {
    const engine = new Engine()
    const ids = [1, 2, 3].map((n) => engine.store({ body: new Uint8Array(100).fill(n) }).id)
    const read = (limit: number, bytes: number, after = 0) =>
      engine.read('readUnmatched', limit, bytes, after).map(({ id }) => id)
    expect(read(10, 1e6)).toEqual(ids)
    expect(read(10, 250)).toEqual(ids.slice(0, 2))
    expect(read(10, 1)).toEqual(ids.slice(0, 1))
    expect(read(2, 1e6)).toEqual(ids.slice(0, 2))
    expect(read(10, 1e6, ids[0])).toEqual(ids.slice(1))
  })
})
