import { describe, expect, test, vi } from 'vitest'
import { Batcher } from '../../src/runtime/batcher.ts'

const limits = {
  concurrency: 1,
  maxItems: 100,
  maxWeight: 1000,
  large: 1000,
  maxPending: 1000,
  maxPendingWeight: 10_000,
}

/** A batcher whose commits wait until the test ends them. */
function pendingBatcher(options: Partial<typeof limits> = {}, weigh = (_item: number) => 1) {
  const started: { items: readonly number[]; end(): void }[] = []
  const commit = (items: readonly number[]): Promise<number[]> => {
    return new Promise((resolve) => started.push({ items, end: () => resolve(items.map((item) => 10 * item)) }))
  }
  return { batcher: new Batcher<number, number>({ commit, weigh, limits: { ...limits, ...options } }), started }
}

const reaches = (started: readonly unknown[], count: number) => vi.waitFor(() => expect(started).toHaveLength(count))

describe('a batcher', () => {
  test('commits items of one turn together, and then the items that were added meanwhile', async () => {
    const { batcher, started } = pendingBatcher()
    const first = [batcher.add(1), batcher.add(2)]
    await reaches(started, 1)
    const second = [batcher.add(3), batcher.add(4)]
    started[0]?.end()
    expect(await Promise.all(first)).toEqual([10, 20])
    await reaches(started, 2)
    started[1]?.end()
    expect(await Promise.all(second)).toEqual([30, 40])
    expect(started.map(({ items }) => items)).toEqual([
      [1, 2],
      [3, 4],
    ])
  })

  test('commits as many batches at a time as its concurrency', async () => {
    const { batcher, started } = pendingBatcher({ concurrency: 2, maxItems: 1 })
    const all = [batcher.add(1), batcher.add(2), batcher.add(3)]
    await reaches(started, 2)
    started[1]?.end()
    await reaches(started, 3)
    for (const { end } of started) end()
    expect(await Promise.all(all)).toEqual([10, 20, 30])
  })

  test('limits the weight of a batch, but always takes one item', async () => {
    const { batcher, started } = pendingBatcher({ maxWeight: 5 }, (item) => item)
    const all = [3, 2, 1, 9, 1].map((item) => batcher.add(item))
    for (let count = 1; count <= 4; count++) {
      await reaches(started, count)
      started[count - 1]?.end()
    }
    await Promise.all(all)
    expect(started.map(({ items }) => items)).toEqual([[3, 2], [1], [9], [1]])
  })

  test('commits large items apart from small ones, and one batch of them at a time', async () => {
    const { batcher, started } = pendingBatcher({ concurrency: 2, maxWeight: 10, large: 5 }, (item) => item)
    const all = [5, 1, 6, 2].map((item) => batcher.add(item))
    await reaches(started, 2)
    started[1]?.end()
    all.push(batcher.add(3))
    await reaches(started, 3)
    started[0]?.end()
    await reaches(started, 4)
    for (const { end } of started) end()
    await Promise.all(all)
    expect(started.map(({ items }) => items)).toEqual([[5], [1, 2], [3], [6]])
  })

  test('commits large and small items in turn, so that neither waits for all of the others', async () => {
    const { batcher, started } = pendingBatcher({ maxItems: 1, large: 5 }, (item) => item)
    const all = [5, 1, 6, 2, 7].map((item) => batcher.add(item))
    for (let count = 1; count <= 5; count++) {
      await reaches(started, count)
      started[count - 1]?.end()
    }
    await Promise.all(all)
    expect(started.map(({ items }) => items)).toEqual([[5], [1], [6], [2], [7]])
  })

  test('rejects items while too many are pending', async () => {
    const { batcher, started } = pendingBatcher({ maxItems: 1, maxPending: 2, maxPendingWeight: 10 }, (item) => item)
    const all = [batcher.add(1), batcher.add(2)]
    await expect(batcher.add(3)).rejects.toThrow('the database is too slow: 2 writes are waiting')
    await reaches(started, 1)
    await expect(batcher.add(9)).rejects.toThrow('the database is too slow')
    all.push(batcher.add(8))
    for (let count = 1; count <= 3; count++) {
      await reaches(started, count)
      started[count - 1]?.end()
    }
    expect(await Promise.all(all)).toEqual([10, 20, 80])
  })

  test.each([
    [true, [[1, 2, 3], [1], [2], [3]]],
    [false, [[1, 2, 3]]],
    [undefined, [[1, 2, 3]]],
  ])('commits each item of a failed batch alone if one item may be at fault: %s', async (isItemFault, expected) => {
    const seen: (readonly number[])[] = []
    const commit = async (items: readonly number[]) => {
      seen.push(items)
      if (items.includes(2)) throw new Error('broken')
      return [...items]
    }
    const fault = isItemFault === undefined ? {} : { isItemFault: () => isItemFault }
    const batcher = new Batcher<number, number>({ commit, weigh: () => 1, limits, ...fault })
    const ended = await Promise.allSettled([1, 2, 3].map((item) => batcher.add(item)))
    const alone = expected.length > 1
    expect(ended.map(({ status }) => status === 'fulfilled')).toEqual([alone, false, alone])
    expect(seen).toEqual(expected)
  })
})
