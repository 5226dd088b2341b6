import { describe, expect, test, vi } from 'vitest'
import { Batcher } from '../../src/postgres/batcher.ts'

const limits = { lanes: 1, maxItems: 100, maxWeight: 1000, maxPending: 1000, maxPendingWeight: 10_000 }

/** A group whose transactions wait until they are told to end. */
function waiting(options: Partial<typeof limits> = {}, weigh = (_item: number) => 1) {
  const claimed: { items: readonly number[]; end(): void }[] = []
  const commit = (items: readonly number[]): Promise<number[]> => {
    return new Promise((resolve) => claimed.push({ items, end: () => resolve(items.map((item) => 10 * item)) }))
  }
  return { group: new Batcher<number, number>(commit, weigh, { ...limits, ...options }), claimed }
}

const reaches = (claimed: readonly unknown[], count: number) => vi.waitFor(() => expect(claimed).toHaveLength(count))

describe('a group', () => {
  test('commits together what is asked for at once, and then what was asked for meanwhile', async () => {
    const { group, claimed } = waiting()
    const first = [group.add(1), group.add(2)]
    await reaches(claimed, 1)
    const second = [group.add(3), group.add(4)]
    claimed[0]?.end()
    expect(await Promise.all(first)).toEqual([10, 20])
    await reaches(claimed, 2)
    claimed[1]?.end()
    expect(await Promise.all(second)).toEqual([30, 40])
    expect(claimed.map(({ items }) => items)).toEqual([
      [1, 2],
      [3, 4],
    ])
  })

  test('has as many transactions under way as it has lanes', async () => {
    const { group, claimed } = waiting({ lanes: 2, maxItems: 1 })
    const all = [group.add(1), group.add(2), group.add(3)]
    await reaches(claimed, 2)
    claimed[1]?.end()
    await reaches(claimed, 3)
    for (const { end } of claimed) end()
    expect(await Promise.all(all)).toEqual([10, 20, 30])
  })

  test('takes no more at a time than may weigh together, but one always', async () => {
    const { group, claimed } = waiting({ maxWeight: 5 }, (item) => item)
    const all = [3, 2, 1, 9, 1].map((item) => group.add(item))
    for (let count = 1; count <= 4; count++) {
      await reaches(claimed, count)
      claimed[count - 1]?.end()
    }
    await Promise.all(all)
    expect(claimed.map(({ items }) => items)).toEqual([[3, 2], [1], [9], [1]])
  })

  test('has no more wait than it may, and takes again when there is room', async () => {
    const { group, claimed } = waiting({ maxItems: 1, maxPending: 2, maxPendingWeight: 10 }, (item) => item)
    const all = [group.add(1), group.add(2)]
    await expect(group.add(3)).rejects.toThrow('the database does not keep up: 2 wait')
    await reaches(claimed, 1)
    await expect(group.add(9)).rejects.toThrow('does not keep up')
    all.push(group.add(8))
    for (let count = 1; count <= 3; count++) {
      await reaches(claimed, count)
      claimed[count - 1]?.end()
    }
    expect(await Promise.all(all)).toEqual([10, 20, 80])
  })

  test.each([
    ['54000', [[1, 2, 3], [1], [2], [3]]],
    ['25006', [[1, 2, 3]]],
    ['23514', [[1, 2, 3], [1], [2], [3]]],
    ['22P02', [[1, 2, 3], [1], [2], [3]]],
    ['57P01', [[1, 2, 3]]],
    ['53300', [[1, 2, 3]]],
    [undefined, [[1, 2, 3]]],
  ])('of code %s tries those apart that may not be at fault', async (code, expected) => {
    const seen: (readonly number[])[] = []
    const commit = async (items: readonly number[]) => {
      seen.push(items)
      if (items.includes(2)) throw Object.assign(new Error('broken'), { code })
      return [...items]
    }
    const group = new Batcher<number, number>(commit, () => 1, limits)
    const ended = await Promise.allSettled([1, 2, 3].map((item) => group.add(item)))
    const alone = expected.length > 1
    expect(ended.map(({ status }) => status === 'fulfilled')).toEqual([alone, false, alone])
    expect(seen).toEqual(expected)
  })
})
