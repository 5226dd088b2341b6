import { describe, expect, test } from 'vitest'
import { HookError } from '../../src/errors.ts'
import { MemoryLimit, type Reservation } from '../../src/receiver/memory-limit.ts'
import { Deadline } from '../../src/runtime/deadline.ts'
import { MiB, pass, refusalOf, stopTheClock, turnOfTheLoop } from './fixtures.ts'

stopTheClock('setTimeout', 'clearTimeout')

/** A memory limit, and the names of the bodies that have a reservation. */
function limitOf(limit: number) {
  const memoryLimit = new MemoryLimit(limit)
  const reserved: string[] = []
  const reservations = new Map<string, Reservation>()
  /** @returns `true` if there was memory at once; else a promise of the reservation. */
  const reserve = (name: string, size: number | undefined, ms = 9000): true | Promise<void> => {
    const add = (one: Reservation) => {
      reserved.push(name)
      reservations.set(name, one)
    }
    const reservation = memoryLimit.reserve(size, new Deadline(ms))
    if (reservation instanceof Promise) return reservation.then(add)
    add(reservation)
    return true
  }
  /** Releases a reservation, and waits for the reservations that this makes possible. */
  const release = (name: string) => {
    reservations.get(name)?.release()
    return turnOfTheLoop()
  }
  /** Grows a reservation to `size`. */
  const grow = (name: string, size: number, limit: number) => reservations.get(name)?.grow(size, limit)
  return { memoryLimit, reserve, release, grow, reserved }
}

describe('a memory limit', () => {
  test('reserves at once while half of its memory suffices for the bodies of one kind', () => {
    const { reserve, reserved } = limitOf(8 * MiB)
    for (const name of ['a', 'b', 'c', 'd']) expect(reserve(name, MiB)).toBe(true)
    expect(reserve('e', 1)).toBeInstanceOf(Promise)
    expect(reserved).toEqual(['a', 'b', 'c', 'd'])
  })

  test('lets small bodies pass large ones, and vice versa', () => {
    const { reserve } = limitOf(8 * MiB)
    expect(reserve('large', 4 * MiB)).toBe(true)
    expect(reserve('second large', 2 * MiB)).toBeInstanceOf(Promise)
    expect(reserve('usual', MiB)).toBe(true)

    const other = limitOf(2 * MiB)
    expect(other.reserve('usual', MiB)).toBe(true)
    expect(other.reserve('second usual', 1)).toBeInstanceOf(Promise)
    expect(other.reserve('large', MiB + 1)).toBe(true)
  })

  test('counts a body of 1 MiB as small, and one byte more as large', () => {
    const { reserve } = limitOf(2 * MiB)
    expect(reserve('usual', MiB)).toBe(true)
    expect(reserve('large', MiB + 1)).toBe(true)
    expect(reserve('second usual', MiB)).toBeInstanceOf(Promise)
    expect(reserve('second large', MiB + 1)).toBeInstanceOf(Promise)
  })

  test('grants reservations in the order of arrival, as many as fit', async () => {
    const { reserve, release, reserved } = limitOf(20 * MiB)
    reserve('a', 6 * MiB)
    reserve('b', 4 * MiB)
    for (const [name, size] of Object.entries({ c: 5, d: 3, e: 3, f: 2 })) reserve(name, size * MiB)
    await release('a')
    expect(reserved).toEqual(['a', 'b', 'c'])
    await release('b')
    expect(reserved).toEqual(['a', 'b', 'c', 'd'])
    await release('c')
    expect(reserved).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  })

  test('lets no body overtake another one, not even a small one', async () => {
    const { reserve, release, reserved } = limitOf(20 * MiB)
    reserve('a', 6 * MiB)
    reserve('too much for now', 8 * MiB)
    expect(reserve('small', 2 * MiB)).toBeInstanceOf(Promise)
    await turnOfTheLoop()
    expect(reserved).toEqual(['a'])
    await release('a')
    expect(reserved).toEqual(['a', 'too much for now', 'small'])
  })

  test('reserves memory for a body above the limit while there is no other', async () => {
    const { reserve, release, reserved } = limitOf(8 * MiB)
    expect(reserve('oversize', 25 * MiB)).toBe(true)
    expect(reserve('second oversize', 25 * MiB)).toBeInstanceOf(Promise)
    expect(reserve('large', 2 * MiB)).toBeInstanceOf(Promise)
    await release('oversize')
    expect(reserved).toEqual(['oversize', 'second oversize'])
    await release('second oversize')
    expect(reserved).toEqual(['oversize', 'second oversize', 'large'])
    expect(reserve('third oversize', 25 * MiB)).toBeInstanceOf(Promise)
    await release('large')
    expect(reserved.at(-1)).toBe('third oversize')
  })

  test('has all its memory again after all releases', async () => {
    const { reserve, release } = limitOf(8 * MiB)
    for (let round = 0; round < 100; round++) {
      expect([reserve('a', 3 * MiB), reserve('b', MiB + 1)]).toEqual([true, expect.any(Promise)])
      await release('a')
      await release('b')
    }
    expect(reserve('all of it', 4 * MiB)).toBe(true)
  })

  test('reports the reserved bytes of both pools, and its limit', async () => {
    const { memoryLimit, reserve, release, grow } = limitOf(8 * MiB)
    reserve('usual', 1000)
    reserve('large', 2 * MiB)
    expect(reserve('waits', 3 * MiB)).toBeInstanceOf(Promise)
    expect([memoryLimit.held, memoryLimit.limit]).toEqual([1000 + 2 * MiB, 8 * MiB])
    await release('large')
    expect(memoryLimit.held).toBe(1000 + 3 * MiB)
    await release('waits')
    grow('usual', 2 * MiB, 4 * MiB)
    expect(memoryLimit.held).toBe(4 * MiB)
    await release('usual')
    expect(memoryLimit.held).toBe(0)
  })

  test('releases memory once, even if release() is called twice', async () => {
    const { reserve, release, reserved } = limitOf(8 * MiB)
    reserve('a', 2 * MiB)
    reserve('b', 2 * MiB)
    reserve('c', 2 * MiB)
    reserve('d', 2 * MiB)
    await release('a')
    await release('a')
    expect(reserved).toEqual(['a', 'b', 'c'])
    await release('b')
    await release('c')
    await release('c')
    expect([reserve('e', 2 * MiB), reserve('f', 2 * MiB)]).toEqual([true, expect.any(Promise)])
  })

  test('rejects a body at its deadline, and goes on with the others', async () => {
    const { reserve, release, reserved } = limitOf(8 * MiB)
    reserve('a', 4 * MiB)
    const refused = [
      refusalOf(() => reserve('impatient', 4 * MiB, 1000)),
      refusalOf(() => reserve('second', 4 * MiB, 1000)),
    ]
    reserve('patient', 2 * MiB)
    pass(1000)
    for (const refusal of await Promise.all(refused)) {
      expect(refusal).toMatchObject({ code: 'overloaded', status: 503, message: 'Too many deliveries at once' })
      expect(refusal.headers['retry-after']).toBeDefined()
    }
    await release('a')
    expect(reserved).toEqual(['a', 'patient'])
    expect(reserve('next', 2 * MiB)).toBe(true)
  })

  test('grants the next reservations that fit after one in front gives up', async () => {
    const { reserve, reserved } = limitOf(20 * MiB)
    reserve('a', 6 * MiB)
    const refused = refusalOf(() => reserve('impatient', 8 * MiB, 1000))
    const entries = [reserve('b', 2 * MiB), reserve('c', 2 * MiB), reserve('d', 2 * MiB)]
    pass(1000)
    expect((await refused).code).toBe('overloaded')
    await Promise.all(entries.slice(0, 2))
    expect(reserved).toEqual(['a', 'b', 'c'])
  })

  test('keeps the order of the others after one in the middle gives up', async () => {
    const { reserve, release, reserved } = limitOf(8 * MiB)
    reserve('a', 4 * MiB)
    reserve('b', 4 * MiB)
    const refused = refusalOf(() => reserve('impatient', 4 * MiB, 1000))
    reserve('c', 4 * MiB)
    pass(1000)
    await refused
    for (const name of ['a', 'b']) await release(name)
    expect(reserved).toEqual(['a', 'b', 'c'])
  })

  test('keeps a reservation after the deadline', async () => {
    const { reserve, release, reserved } = limitOf(8 * MiB)
    reserve('a', 4 * MiB)
    const reservation = reserve('b', 4 * MiB, 1000)
    await release('a')
    pass(1000)
    await reservation
    expect([reserved, reserve('c', 2 * MiB)]).toEqual([['a', 'b'], expect.any(Promise)])
  })

  test('rejects a body at once after its deadline, if it would have to wait', async () => {
    const memoryLimit = new MemoryLimit(8 * MiB)
    const deadline = new Deadline(1000)
    pass(1000)
    expect(memoryLimit.reserve(4 * MiB, deadline)).not.toBeInstanceOf(Promise)
    expect((await refusalOf(() => memoryLimit.reserve(2 * MiB, deadline))).code).toBe('overloaded')
  })
})

describe('a body that exceeds its reservation', () => {
  test('counts as small while its size is unknown', async () => {
    const { reserve, release, grow } = limitOf(4 * MiB)
    expect([reserve('a', undefined), reserve('b', undefined)]).toEqual([true, true])
    expect(reserve('c', undefined)).toBeInstanceOf(Promise)
    grow('a', MiB, 25 * MiB)
    expect(reserve('large', 2 * MiB)).toBe(true)
    await release('b')
    expect(reserve('d', 1)).toBeInstanceOf(Promise)
  })

  test('moves to the large bodies, with the maximum size', async () => {
    const { reserve, release, grow, reserved } = limitOf(8 * MiB)
    for (const name of ['a', 'b', 'c', 'd']) reserve(name, undefined)
    reserve('e', undefined)
    grow('a', MiB + 1, 3 * MiB)
    await turnOfTheLoop()
    expect(reserved.at(-1)).toBe('e')
    grow('a', 2 * MiB, 3 * MiB)
    grow('a', 3 * MiB, 3 * MiB)
    expect(reserve('fits beside it', MiB + 1)).toBeInstanceOf(Promise)
    await release('a')
    expect(reserved.at(-1)).toBe('fits beside it')
    await release('fits beside it')
    expect(reserve('all of it', 4 * MiB)).toBe(true)
  })

  test('is rejected at once if there is not enough memory, or if others wait, and keeps its reservation', async () => {
    const { reserve, release, grow, reserved } = limitOf(8 * MiB)
    reserve('large', 2 * MiB)
    reserve('a', undefined)
    expect(() => grow('a', MiB + 1, 3 * MiB)).toThrow(new HookError('overloaded'))
    reserve('waits', 3 * MiB)
    expect(() => grow('a', MiB + 1, 2 * MiB)).toThrow(new HookError('overloaded'))
    for (const name of ['b', 'c', 'd']) expect(reserve(name, MiB)).toBe(true)
    expect(reserve('e', MiB)).toBeInstanceOf(Promise)
    await release('a')
    expect(reserved.at(-1)).toBe('e')
  })

  test('needs no more memory while it stays within Content-Length', () => {
    const { reserve, grow } = limitOf(8 * MiB)
    reserve('large', 4 * MiB)
    reserve('a', 1000)
    expect(() => grow('a', 1000, 25 * MiB)).not.toThrow()
    expect(() => grow('a', 1001, 25 * MiB)).toThrow(new HookError('overloaded'))
  })

  test('releases its whole reservation, once', async () => {
    const { reserve, release, grow, reserved } = limitOf(8 * MiB)
    reserve('a', undefined)
    grow('a', 2 * MiB, 4 * MiB)
    reserve('b', 2 * MiB)
    reserve('c', 3 * MiB)
    await release('a')
    await release('a')
    expect(reserved).toEqual(['a', 'b'])
    for (const name of ['d', 'e', 'f', 'g']) expect(reserve(name, MiB)).toBe(true)
    expect(reserve('h', 1)).toBeInstanceOf(Promise)
  })
})
