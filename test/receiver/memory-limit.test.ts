import { describe, expect, test } from 'vitest'
import { HookError } from '../../src/errors.ts'
import { type Pass, Turnstile } from '../../src/receiver/memory-limit.ts'
import { Deadline } from '../../src/runtime/deadline.ts'
import { MiB, pass, refusalOf, stopTheClock, turnOfTheLoop } from './fixtures.ts'

stopTheClock('setTimeout', 'clearTimeout')

/** A turnstile, and who is inside. */
function turnstileOf(limit: number) {
  const turnstile = new Turnstile(limit)
  const inside: string[] = []
  const passes = new Map<string, Pass>()
  /** @returns Settles with the entry; `true` where there was room at once. */
  const enter = (name: string, size: number | undefined, ms = 9000): true | Promise<void> => {
    const admit = (one: Pass) => {
      inside.push(name)
      passes.set(name, one)
    }
    const entry = turnstile.enter(size, new Deadline(ms))
    if (entry instanceof Promise) return entry.then(admit)
    admit(entry)
    return true
  }
  /** Lets one go, and those enter for whom there is room then. */
  const leave = (name: string) => {
    passes.get(name)?.leave()
    return turnOfTheLoop()
  }
  /** Has a body grow to `size`. */
  const widen = (name: string, size: number, limit: number) => passes.get(name)?.widen(size, limit)
  return { turnstile, enter, leave, widen, inside }
}

describe('a turnstile', () => {
  test('lets in at once while there is room, which is half of the limit for bodies of one kind', () => {
    const { enter, inside } = turnstileOf(8 * MiB)
    for (const name of ['a', 'b', 'c', 'd']) expect(enter(name, MiB)).toBe(true)
    expect(enter('e', 1)).toBeInstanceOf(Promise)
    expect(inside).toEqual(['a', 'b', 'c', 'd'])
  })

  test('lets usual bodies pass beside large ones, and the reverse', () => {
    const { enter } = turnstileOf(8 * MiB)
    expect(enter('large', 4 * MiB)).toBe(true)
    expect(enter('second large', 2 * MiB)).toBeInstanceOf(Promise)
    expect(enter('usual', MiB)).toBe(true)

    const other = turnstileOf(2 * MiB)
    expect(other.enter('usual', MiB)).toBe(true)
    expect(other.enter('second usual', 1)).toBeInstanceOf(Promise)
    expect(other.enter('large', MiB + 1)).toBe(true)
  })

  test('takes a body of 1 MiB for a usual one, and one byte more for a large one', () => {
    const { enter } = turnstileOf(2 * MiB)
    expect(enter('usual', MiB)).toBe(true)
    expect(enter('large', MiB + 1)).toBe(true)
    expect(enter('second usual', MiB)).toBeInstanceOf(Promise)
    expect(enter('second large', MiB + 1)).toBeInstanceOf(Promise)
  })

  test('lets in by the order of arrival, as many as there is room for', async () => {
    const { enter, leave, inside } = turnstileOf(20 * MiB)
    enter('a', 6 * MiB)
    enter('b', 4 * MiB)
    for (const [name, size] of Object.entries({ c: 5, d: 3, e: 3, f: 2 })) enter(name, size * MiB)
    await leave('a')
    expect(inside).toEqual(['a', 'b', 'c'])
    await leave('b')
    expect(inside).toEqual(['a', 'b', 'c', 'd'])
    await leave('c')
    expect(inside).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  })

  test('lets nobody overtake, however small', async () => {
    const { enter, leave, inside } = turnstileOf(20 * MiB)
    enter('a', 6 * MiB)
    enter('too much for now', 8 * MiB)
    expect(enter('small', 2 * MiB)).toBeInstanceOf(Promise)
    await turnOfTheLoop()
    expect(inside).toEqual(['a'])
    await leave('a')
    expect(inside).toEqual(['a', 'too much for now', 'small'])
  })

  test('lets what exceeds all the room pass alone', async () => {
    const { enter, leave, inside } = turnstileOf(8 * MiB)
    expect(enter('oversize', 25 * MiB)).toBe(true)
    expect(enter('second oversize', 25 * MiB)).toBeInstanceOf(Promise)
    expect(enter('large', 2 * MiB)).toBeInstanceOf(Promise)
    await leave('oversize')
    expect(inside).toEqual(['oversize', 'second oversize'])
    await leave('second oversize')
    expect(inside).toEqual(['oversize', 'second oversize', 'large'])
    expect(enter('third oversize', 25 * MiB)).toBeInstanceOf(Promise)
    await leave('large')
    expect(inside.at(-1)).toBe('third oversize')
  })

  test('has its whole room back when all have left', async () => {
    const { enter, leave } = turnstileOf(8 * MiB)
    for (let round = 0; round < 100; round++) {
      expect([enter('a', 3 * MiB), enter('b', MiB + 1)]).toEqual([true, expect.any(Promise)])
      await leave('a')
      await leave('b')
    }
    expect(enter('all of it', 4 * MiB)).toBe(true)
  })

  test('says how much it has given, in both lanes, and what its limit is', async () => {
    const { turnstile, enter, leave, widen } = turnstileOf(8 * MiB)
    enter('usual', 1000)
    enter('large', 2 * MiB)
    expect(enter('waits', 3 * MiB)).toBeInstanceOf(Promise)
    expect([turnstile.held, turnstile.limit]).toEqual([1000 + 2 * MiB, 8 * MiB])
    await leave('large')
    expect(turnstile.held).toBe(1000 + 3 * MiB)
    await leave('waits')
    widen('usual', 2 * MiB, 4 * MiB)
    expect(turnstile.held).toBe(4 * MiB)
    await leave('usual')
    expect(turnstile.held).toBe(0)
  })

  test('gives room back once, though somebody leaves twice', async () => {
    const { enter, leave, inside } = turnstileOf(8 * MiB)
    enter('a', 2 * MiB)
    enter('b', 2 * MiB)
    enter('c', 2 * MiB)
    enter('d', 2 * MiB)
    await leave('a')
    await leave('a')
    expect(inside).toEqual(['a', 'b', 'c'])
    await leave('b')
    await leave('c')
    await leave('c')
    expect([enter('e', 2 * MiB), enter('f', 2 * MiB)]).toEqual([true, expect.any(Promise)])
  })

  test('is overloaded for who has not come in when its time is over, and the line goes on without it', async () => {
    const { enter, leave, inside } = turnstileOf(8 * MiB)
    enter('a', 4 * MiB)
    const refused = [
      refusalOf(() => enter('impatient', 4 * MiB, 1000)),
      refusalOf(() => enter('second', 4 * MiB, 1000)),
    ]
    enter('patient', 2 * MiB)
    pass(1000)
    for (const refusal of await Promise.all(refused)) {
      expect(refusal).toMatchObject({ code: 'overloaded', status: 503, message: 'Too many deliveries at once' })
      expect(refusal.headers['retry-after']).toBeDefined()
    }
    await leave('a')
    expect(inside).toEqual(['a', 'patient'])
    expect(enter('next', 2 * MiB)).toBe(true)
  })

  test('lets those in for whom there is room when the one before them gives up', async () => {
    const { enter, inside } = turnstileOf(20 * MiB)
    enter('a', 6 * MiB)
    const refused = refusalOf(() => enter('impatient', 8 * MiB, 1000))
    const entries = [enter('b', 2 * MiB), enter('c', 2 * MiB), enter('d', 2 * MiB)]
    pass(1000)
    expect((await refused).code).toBe('overloaded')
    await Promise.all(entries.slice(0, 2))
    expect(inside).toEqual(['a', 'b', 'c'])
  })

  test('keeps the places of the others when one in the middle gives up', async () => {
    const { enter, leave, inside } = turnstileOf(8 * MiB)
    enter('a', 4 * MiB)
    enter('b', 4 * MiB)
    const refused = refusalOf(() => enter('impatient', 4 * MiB, 1000))
    enter('c', 4 * MiB)
    pass(1000)
    await refused
    for (const name of ['a', 'b']) await leave(name)
    expect(inside).toEqual(['a', 'b', 'c'])
  })

  test('does not put out who is in when the time is over', async () => {
    const { enter, leave, inside } = turnstileOf(8 * MiB)
    enter('a', 4 * MiB)
    const entry = enter('b', 4 * MiB, 1000)
    await leave('a')
    pass(1000)
    await entry
    expect([inside, enter('c', 2 * MiB)]).toEqual([['a', 'b'], expect.any(Promise)])
  })

  test('is overloaded at once for who comes with no time left, if there is no room', async () => {
    const turnstile = new Turnstile(8 * MiB)
    const deadline = new Deadline(1000)
    pass(1000)
    expect(turnstile.enter(4 * MiB, deadline)).not.toBeInstanceOf(Promise)
    expect((await refusalOf(() => turnstile.enter(2 * MiB, deadline))).code).toBe('overloaded')
  })
})

describe('a body that outgrows its room', () => {
  test('counts as a usual one as long as nobody knows its size', async () => {
    const { enter, leave, widen } = turnstileOf(4 * MiB)
    expect([enter('a', undefined), enter('b', undefined)]).toEqual([true, true])
    expect(enter('c', undefined)).toBeInstanceOf(Promise)
    widen('a', MiB, 25 * MiB)
    expect(enter('large', 2 * MiB)).toBe(true)
    await leave('b')
    expect(enter('d', 1)).toBeInstanceOf(Promise)
  })

  test('changes over to the large ones, for as much as may come', async () => {
    const { enter, leave, widen, inside } = turnstileOf(8 * MiB)
    for (const name of ['a', 'b', 'c', 'd']) enter(name, undefined)
    enter('e', undefined)
    widen('a', MiB + 1, 3 * MiB)
    await turnOfTheLoop()
    expect(inside.at(-1)).toBe('e')
    widen('a', 2 * MiB, 3 * MiB)
    widen('a', 3 * MiB, 3 * MiB)
    expect(enter('fits beside it', MiB + 1)).toBeInstanceOf(Promise)
    await leave('a')
    expect(inside.at(-1)).toBe('fits beside it')
    await leave('fits beside it')
    expect(enter('all of it', 4 * MiB)).toBe(true)
  })

  test('is overloaded at once if there is no room, or if others wait for it, and keeps what it has', async () => {
    const { enter, leave, widen, inside } = turnstileOf(8 * MiB)
    enter('large', 2 * MiB)
    enter('a', undefined)
    expect(() => widen('a', MiB + 1, 3 * MiB)).toThrow(new HookError('overloaded'))
    enter('waits', 3 * MiB)
    expect(() => widen('a', MiB + 1, 2 * MiB)).toThrow(new HookError('overloaded'))
    for (const name of ['b', 'c', 'd']) expect(enter(name, MiB)).toBe(true)
    expect(enter('e', MiB)).toBeInstanceOf(Promise)
    await leave('a')
    expect(inside.at(-1)).toBe('e')
  })

  test('needs nothing more while it stays within what it announced', () => {
    const { enter, widen } = turnstileOf(8 * MiB)
    enter('large', 4 * MiB)
    enter('a', 1000)
    expect(() => widen('a', 1000, 25 * MiB)).not.toThrow()
    expect(() => widen('a', 1001, 25 * MiB)).toThrow(new HookError('overloaded'))
  })

  test('gives back all that it has, once', async () => {
    const { enter, leave, widen, inside } = turnstileOf(8 * MiB)
    enter('a', undefined)
    widen('a', 2 * MiB, 4 * MiB)
    enter('b', 2 * MiB)
    enter('c', 3 * MiB)
    await leave('a')
    await leave('a')
    expect(inside).toEqual(['a', 'b'])
    for (const name of ['d', 'e', 'f', 'g']) expect(enter(name, MiB)).toBe(true)
    expect(enter('h', 1)).toBeInstanceOf(Promise)
  })
})
