import { describe, expect, test } from 'vitest'
import { MemoryLimit, type Reservation } from '../../src/receiver/memory-limit.ts'
import { MiB, turnOfTheLoop } from './fixtures.ts'

/**
 * A memory limit, and functions that let named bodies arrive. Each call of `arrive` adds the name of its body to
 * `reserved`, as soon as the body has memory for all bytes that have arrived.
 */
function limitOf(limit: number) {
  const memoryLimit = new MemoryLimit(limit)
  const reserved: string[] = []
  const reservations = new Map<string, Reservation>()
  const announce = (name: string, size: number | undefined) => reservations.set(name, memoryLimit.reserve(size))
  /** Lets a body arrive up to `size` bytes. @returns `true` if there is memory for it now, else a promise. */
  const arrive = (name: string, size: number): true | Promise<void> => {
    const waiting = reservations.get(name)?.grow(size)
    if (waiting) return waiting.then(() => void reserved.push(name))
    reserved.push(name)
    return true
  }
  const complete = (name: string) => reservations.get(name)?.complete()
  /** Lets a whole body of `size` bytes arrive. @returns `true` if there is memory for it now, else a promise. */
  const reserve = (name: string, size: number): true | Promise<void> => {
    announce(name, size)
    const waiting = arrive(name, size)
    if (waiting !== true) return waiting.then(() => complete(name))
    complete(name)
    return true
  }
  /** Releases a reservation, and waits for the reservations that this makes possible. */
  const release = (name: string) => {
    reservations.get(name)?.release()
    return turnOfTheLoop()
  }
  return { memoryLimit, announce, arrive, complete, reserve, release, reserved }
}

describe('a memory limit', () => {
  test('reserves immediately while half of its memory suffices for the bodies of one kind', () => {
    const { reserve, reserved } = limitOf(8 * MiB)
    for (const name of ['a', 'b', 'c', 'd']) expect(reserve(name, MiB)).toBe(true)
    expect(reserve('e', 1)).toBeInstanceOf(Promise)
    expect(reserved).toEqual(['a', 'b', 'c', 'd'])
  })

  test('lets small bodies overtake large ones, and vice versa', () => {
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

  test('lets no body overtake another body of its kind, even if it is smaller', async () => {
    const { reserve, release, reserved } = limitOf(20 * MiB)
    reserve('a', 6 * MiB)
    reserve('too much for now', 8 * MiB)
    expect(reserve('small', 2 * MiB)).toBeInstanceOf(Promise)
    await turnOfTheLoop()
    expect(reserved).toEqual(['a'])
    await release('a')
    expect(reserved).toEqual(['a', 'too much for now', 'small'])
  })

  test('reserves memory for a body above the limit while no other body holds memory', async () => {
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
    const { memoryLimit, announce, arrive, reserve, release } = limitOf(8 * MiB)
    reserve('usual', 1000)
    reserve('large', 2 * MiB)
    expect(reserve('waits', 3 * MiB)).toBeInstanceOf(Promise)
    expect([memoryLimit.held, memoryLimit.limit]).toEqual([1000 + 2 * MiB, 8 * MiB])
    await release('large')
    expect(memoryLimit.held).toBe(1000 + 3 * MiB)
    await release('waits')
    announce('arriving', 4 * MiB)
    arrive('arriving', 3 * MiB)
    expect(memoryLimit.held).toBe(1000 + 3 * MiB)
    await release('usual')
    await release('arriving')
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

  test('continues with the other bodies after a waiting body gives up', async () => {
    const { reserve, release, reserved } = limitOf(8 * MiB)
    reserve('a', 4 * MiB)
    reserve('impatient', 4 * MiB)
    reserve('second', 4 * MiB)
    reserve('patient', 2 * MiB)
    for (const name of ['impatient', 'second', 'a']) await release(name)
    expect(reserved).toEqual(['a', 'patient'])
    expect(reserve('next', 2 * MiB)).toBe(true)
  })

  test('grants the next reservations that fit after a body in front gives up', async () => {
    const { reserve, release, reserved } = limitOf(20 * MiB)
    reserve('a', 6 * MiB)
    reserve('impatient', 8 * MiB)
    const entries = [reserve('b', 2 * MiB), reserve('c', 2 * MiB), reserve('d', 2 * MiB)]
    await release('impatient')
    await Promise.all(entries.slice(0, 2))
    expect(reserved).toEqual(['a', 'b', 'c'])
  })

  test('keeps the order of the other bodies after a body in the middle gives up', async () => {
    const { reserve, release, reserved } = limitOf(8 * MiB)
    reserve('a', 4 * MiB)
    reserve('b', 4 * MiB)
    reserve('impatient', 4 * MiB)
    reserve('c', 4 * MiB)
    for (const name of ['impatient', 'a', 'b']) await release(name)
    expect(reserved).toEqual(['a', 'b', 'c'])
  })
})

describe('a body that arrives in parts', () => {
  test('takes memory for the bytes that have arrived, not for the announced size', () => {
    const { memoryLimit, announce, arrive, complete, reserve } = limitOf(64 * MiB)
    for (let i = 0; i < 200; i++) {
      announce(`large ${i}`, 25 * MiB)
      announce(`small ${i}`, MiB)
    }
    expect(memoryLimit.held).toBe(0)
    for (let i = 0; i < 200; i++) {
      expect(arrive(`large ${i}`, 1)).toBe(true)
      expect(arrive(`small ${i}`, 1)).toBe(true)
    }
    expect(memoryLimit.held).toBe(400)
    expect(reserve('honest', MiB)).toBe(true)
    announce('honest and large', 25 * MiB)
    for (let size = MiB; size <= 25 * MiB; size += MiB) expect(arrive('honest and large', size)).toBe(true)
    complete('honest and large')
  })

  test('waits while there is no memory for more of it, and continues when memory is released', async () => {
    const { announce, arrive, complete, reserve, release, reserved } = limitOf(8 * MiB)
    reserve('other', 2 * MiB)
    announce('a', 4 * MiB)
    expect(arrive('a', 2 * MiB)).toBe(true)
    expect(arrive('a', 3 * MiB)).toBeInstanceOf(Promise)
    await release('other')
    expect(reserved).toEqual(['other', 'a', 'a'])
    expect(arrive('a', 4 * MiB)).toBe(true)
    complete('a')
    expect(reserve('second', 2 * MiB)).toBeInstanceOf(Promise)
    await release('a')
    expect(reserved.at(-1)).toBe('second')
  })

  test('shares a quarter of the memory with other incomplete bodies, unless it is the largest of them', async () => {
    const { announce, arrive, complete, reserved } = limitOf(32 * MiB)
    for (const name of ['old', 'most', 'young']) announce(name, 16 * MiB)
    expect([arrive('old', MiB), arrive('most', 2 * MiB), arrive('young', MiB)]).toEqual([true, true, true])
    expect([arrive('old', 2 * MiB), arrive('young', 2 * MiB)]).toEqual([expect.any(Promise), expect.any(Promise)])
    for (let size = 3; size <= 12; size++) expect(arrive('most', size * MiB)).toBe(true)
    complete('most')
    await turnOfTheLoop()
    expect(reserved.slice(-2)).toEqual(['old', 'young'])
  })

  test('gets memory before a younger body', async () => {
    const { announce, arrive, reserve, release, reserved } = limitOf(32 * MiB)
    reserve('other', 15 * MiB)
    for (const name of ['old', 'young']) announce(name, 16 * MiB)
    arrive('old', MiB / 2)
    arrive('young', MiB / 2)
    arrive('young', 2 * MiB)
    arrive('old', 2 * MiB)
    await release('other')
    expect(reserved).toEqual(['other', 'old', 'young', 'old', 'young'])
  })

  test('may exceed the limit if it is the largest, so that bodies never wait for each other forever', async () => {
    const { memoryLimit, announce, arrive, complete, release, reserved } = limitOf(8 * MiB)
    const names = ['a', 'b', 'c']
    for (const name of names) announce(name, 10 * MiB)
    expect(names.map((name) => arrive(name, MiB / 4))).toEqual([true, true, true])
    for (const name of ['b', 'c']) expect(arrive(name, 10 * MiB)).toBeInstanceOf(Promise)
    expect(arrive('a', 10 * MiB)).toBe(true)
    expect(memoryLimit.held).toBe(10.5 * MiB)
    complete('a')
    await turnOfTheLoop()
    expect(reserved.slice(3)).toEqual(['a'])
    await release('a')
    expect(reserved.slice(4)).toEqual(['b'])
    complete('b')
    await release('b')
    expect(reserved.slice(5)).toEqual(['c'])
    complete('c')
    await release('c')
    expect(memoryLimit.held).toBe(0)
  })

  test('waits while a complete body holds memory, even if it is the largest incomplete body', async () => {
    const { announce, arrive, reserve, release, reserved } = limitOf(8 * MiB)
    reserve('complete', 3 * MiB)
    announce('a', 25 * MiB)
    expect(arrive('a', MiB)).toBe(true)
    expect(arrive('a', 25 * MiB)).toBeInstanceOf(Promise)
    await release('complete')
    expect(reserved).toEqual(['complete', 'a', 'a'])
  })

  test('unblocks the next body when it is complete, or fails', async () => {
    for (const end of ['complete', 'release'] as const) {
      const memory = limitOf(2 * MiB)
      for (const name of ['a', 'b']) memory.announce(name, MiB)
      memory.arrive('a', MiB / 2)
      expect(memory.arrive('b', MiB / 2)).toBeInstanceOf(Promise)
      memory[end]('a')
      await turnOfTheLoop()
      expect(memory.reserved).toEqual(['a', 'b'])
    }
  })
})

describe('senders that stop in the middle of their bodies', () => {
  /** Incomplete bodies hold as much of the small pool as they can, and another one waits. The pool has 32 MiB. */
  function stalled() {
    const memory = limitOf(64 * MiB)
    for (let i = 0; i < 10; i++) {
      memory.announce(`stalled ${i}`, MiB)
      memory.arrive(`stalled ${i}`, MiB - 1000)
    }
    expect(memory.reserved).toHaveLength(8)
    return memory
  }

  test('do not delay a body that arrives in one chunk', () => {
    const { reserve } = stalled()
    for (const size of [7000, MiB]) expect(reserve(`whole ${size}`, size)).toBe(true)
  })

  test('do not delay a small body that arrives in several chunks', () => {
    const { announce, arrive } = stalled()
    for (const size of [50_000, undefined]) {
      announce(`small ${size}`, size)
      for (const arrived of [1000, 30_000, 50_000]) expect(arrive(`small ${size}`, arrived)).toBe(true)
    }
  })

  test('do not delay the end of a body', () => {
    const { announce, arrive } = stalled()
    announce('honest', 100_000)
    expect(arrive('honest', 60_000)).toBe(true)
    expect(arrive('honest', 100_000)).toBe(true)
  })

  test('leave half of the memory to bodies that arrive in one chunk if they send many small parts', () => {
    const { memoryLimit, announce, arrive, reserve } = stalled()
    for (let i = 0; i < 1000; i++) {
      announce(`small ${i}`, MiB)
      arrive(`small ${i}`, 64 * 1024)
    }
    expect(Math.round(memoryLimit.held / MiB)).toBe(16)
    for (let i = 0; i < 16; i++) expect(reserve(`whole ${i}`, MiB)).toBe(true)
    expect(reserve('one more', MiB)).toBeInstanceOf(Promise)
  })

  test('get memory again, in the order of arrival, when other bodies release theirs', async () => {
    const { reserve, release, reserved } = stalled()
    for (let i = 0; i < 24; i++) reserve(`whole ${i}`, MiB)
    reserve('waits', MiB)
    await release('whole 0')
    expect(reserved.at(-1)).toBe('waits')
    for (const name of ['stalled 0', 'stalled 1']) await release(name)
    expect(reserved.slice(-2)).toEqual(['stalled 8', 'stalled 9'])
  })
})

describe('a body of unknown size', () => {
  test('counts as small while it is small', async () => {
    const { announce, arrive, complete, reserve } = limitOf(4 * MiB)
    for (const name of ['a', 'b']) {
      announce(name, undefined)
      expect(arrive(name, MiB)).toBe(true)
      complete(name)
    }
    expect(reserve('small', 1)).toBeInstanceOf(Promise)
    expect(reserve('large', 2 * MiB)).toBe(true)
  })

  test('moves to the large bodies, and leaves its memory to the small ones', async () => {
    const { memoryLimit, announce, arrive, complete, reserve, release, reserved } = limitOf(4 * MiB)
    reserve('small', MiB)
    announce('a', undefined)
    arrive('a', MiB)
    expect(reserve('b', MiB)).toBeInstanceOf(Promise)
    expect(arrive('a', MiB + 1)).toBe(true)
    await turnOfTheLoop()
    expect(reserved).toEqual(['small', 'a', 'a', 'b'])
    expect(arrive('a', 2 * MiB)).toBe(true)
    complete('a')
    expect(reserve('second large', MiB + 1)).toBeInstanceOf(Promise)
    expect(memoryLimit.held).toBe(4 * MiB)
    await release('a')
    expect(reserved.at(-1)).toBe('second large')
  })

  /** The body `a` has become large, and waits: the body `large` holds all the memory that large bodies may use. */
  function waitingToMove() {
    const memory = limitOf(4 * MiB)
    memory.reserve('large', 2 * MiB)
    memory.announce('a', undefined)
    memory.arrive('a', MiB)
    expect(memory.arrive('a', MiB + 1)).toBeInstanceOf(Promise)
    return memory
  }

  test('keeps its memory while it waits to move', async () => {
    const { memoryLimit, release, reserved } = waitingToMove()
    expect(memoryLimit.held).toBe(3 * MiB)
    await release('large')
    expect([reserved.at(-1), memoryLimit.held]).toEqual(['a', MiB + 1])
  })

  test('releases all its memory, once, also while it waits to move', async () => {
    const { memoryLimit, release, reserved } = waitingToMove()
    for (const name of ['a', 'a', 'large', 'large', 'a']) await release(name)
    expect([reserved, memoryLimit.held]).toEqual([['large', 'a'], 0])
  })
})

describe('a body that one call reads', () => {
  const [most, limit] = [64 * 1024, 16 * MiB]

  test('announces at most 64 KiB', () => {
    const memoryLimit = new MemoryLimit(limit)
    expect([0, most].map((size) => memoryLimit.permitReadAtOnce(size))).toEqual([expect.anything(), expect.anything()])
    expect([undefined, most + 1].map((size) => memoryLimit.permitReadAtOnce(size))).toEqual([undefined, undefined])
  })

  test('takes no memory before it has arrived', () => {
    const memoryLimit = new MemoryLimit(limit)
    memoryLimit.permitReadAtOnce(most)
    expect(memoryLimit.held).toBe(0)
  })

  test('announces, with all others, at most a 16th of the limit', () => {
    const memoryLimit = new MemoryLimit(limit)
    const releases = Array.from({ length: 16 }, () => memoryLimit.permitReadAtOnce(most))
    expect(releases).not.toContain(undefined)
    expect(memoryLimit.permitReadAtOnce(1)).toBeUndefined()
    releases[0]?.()
    releases[0]?.()
    expect([most, 1].map((size) => memoryLimit.permitReadAtOnce(size) === undefined)).toEqual([false, true])
  })
})
