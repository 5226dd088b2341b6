import { describe, expect, test, vi } from 'vitest'
import { parseQuery } from '../../../src/inbox/query/parse-query.ts'
import type { Query } from '../../../src/inbox/query/query.ts'
import type { Page } from '../../../src/inbox/records.ts'
import { bytesOf, Engine, storing } from '../engine.ts'

/** An inbox with `count` deliveries. The payload of each has the number `n` of the delivery, from 0. */
function filled(count: number, more: (n: number) => object = () => ({})): Engine {
  const engine = new Engine()
  const call = (n: number) => storing({ body: bytesOf({ n, of: `${n % 2}` }), ...more(n) })
  engine.writer.execute(Array.from({ length: count }, (_, n) => call(n)))
  return engine
}

const list = (engine: Engine, query: Query) => engine.read('list', query)
const idsOf = ({ deliveries }: Page) => deliveries.map(({ id }) => id)
/** Makes the clock advance by `ms` whenever it is read. */
function hurry(ms: number): void {
  let now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => (now += ms))
}

describe('a page', () => {
  test('has 50 deliveries by default, and at most 500', () => {
    const engine = filled(600)
    expect(list(engine, {}).deliveries).toHaveLength(50)
    expect(list(engine, { limit: 7 }).deliveries).toHaveLength(7)
    expect(list(engine, { limit: 1e6 }).deliveries).toHaveLength(500)
  })

  test('has the default size for an invalid limit', () => {
    const engine = filled(60)
    for (const limit of [0, -1, Number.NaN]) expect(list(engine, { limit }).deliveries).toHaveLength(50)
    expect(list(engine, { limit: 2.9 }).deliveries).toHaveLength(2)
  })

  test('may have at most 20 words and paths as conditions', () => {
    const words = Array.from({ length: 20 }, () => 'push')
    const paths = [{ path: ['n'], value: '1' }]
    expect(list(filled(1), { words }).deliveries).toHaveLength(1)
    expect(() => list(new Engine(), { words, paths })).toThrow(/20 words and paths, got 21/)
  })

  test('continues where the previous page ended, until no delivery is left', () => {
    const engine = filled(7)
    const pages: Page[] = []
    let before: number | undefined
    do {
      const page = list(engine, { limit: 3, before })
      pages.push(page)
      before = page.next
    } while (before !== undefined)
    expect(pages.map(idsOf)).toEqual([[7, 6, 5], [4, 3, 2], [1]])
    expect(pages.map(({ scanned, left }) => [scanned, left])).toEqual([
      [3, 4],
      [3, 1],
      [1, 0],
    ])
  })

  test('reports how many deliveries were examined', () => {
    const engine = filled(10, (n) => ({ source: n < 3 ? '/old' : '/new' }))
    expect(list(engine, { source: '/old', limit: 2 })).toMatchObject({ scanned: 9, left: 1, next: 2 })
    expect(list(engine, { source: '/nowhere' })).toEqual({ deliveries: [], next: undefined, scanned: 10, left: 0 })
  })

  test('does not count deleted deliveries as remaining', () => {
    const engine = filled(10)
    engine.writing.run('delete from deliveries where id < 4')
    expect(list(engine, { limit: 2 })).toMatchObject({ next: 9, left: 5 })
  })

  test('of an empty inbox is empty', () => {
    expect(list(new Engine(), {})).toEqual({ deliveries: [], next: undefined, scanned: 0, left: 0 })
  })

  test('finds a rare delivery across many steps', () => {
    const engine = filled(4500, (n) => (n === 10 ? { source: '/rare' } : {}))
    expect(list(engine, { source: '/rare', budget: 60_000 })).toMatchObject({ deliveries: [{ id: 11 }], scanned: 4500 })
  })

  test('ends when its time is over, and reports where the next page starts', () => {
    const engine = filled(4500)
    hurry(1000)
    const page = list(engine, { source: '/nowhere', budget: 10 })
    vi.restoreAllMocks()
    expect(page).toEqual({ deliveries: [], next: 2501, scanned: 2000, left: 2500 })
    expect(list(engine, { source: '/nowhere', before: page.next, budget: 60_000 })).toMatchObject({ next: undefined })
  })

  test('checks the time more often if its conditions read other tables', () => {
    const engine = filled(4500)
    hurry(1000)
    const page = list(engine, { ...parseQuery('handler:a,b,c,d'), budget: 10 })
    vi.restoreAllMocks()
    expect(page).toEqual({ deliveries: [], next: 4001, scanned: 500, left: 4000 })
  })

  test('starts with the condition that has the fewest deliveries', () => {
    const engine = filled(4500, (n) => ({ event: n < 3 ? 'star' : 'push' }))
    const query = parseQuery('state:pending,retrying event:star')
    expect(list(engine, query)).toMatchObject({ deliveries: [{}, {}, {}], next: undefined, scanned: 3 })
  })

  test('reads a few deliveries of each of several values', () => {
    const engine = filled(3000, (n) => ({ event: n % 3 === 0 ? 'push' : n % 3 === 1 ? 'pull_request' : 'issues' }))
    const page = list(engine, { ...parseQuery('event:pu*,star'), limit: 10 })
    expect(idsOf(page)).toEqual([2999, 2998, 2996, 2995, 2993, 2992, 2990, 2989, 2987, 2986])
    expect(page.scanned).toBe(10)
  })

  test('scans the deliveries if too many values have the beginning of a wildcard', () => {
    const engine = filled(450, (n) => ({ event: `event_${n}` }))
    const page = list(engine, { ...parseQuery('event:event_*'), limit: 500 })
    expect(idsOf(page)).toHaveLength(450)
    expect(list(engine, parseQuery('event:event_1*')).scanned).toBeLessThanOrEqual(111)
  })

  test('ends within a step when its time is over, if payloads are searched', () => {
    const engine = filled(10)
    const query: Query = { paths: [{ path: ['of'], value: '1' }] }
    expect(idsOf(list(engine, { ...query, budget: 1000 }))).toEqual([10, 8, 6, 4, 2])
    hurry(1000)
    const page = list(engine, { ...query, budget: 10 })
    vi.restoreAllMocks()
    expect([idsOf(page), page.next, page.scanned]).toEqual([[10], 10, 1])
  })
})
