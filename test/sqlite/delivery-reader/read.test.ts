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
