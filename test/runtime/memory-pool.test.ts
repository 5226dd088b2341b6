import { expect, test } from 'vitest'
import { MemoryPool } from '../../src/runtime/memory-pool.ts'

test('a user that gives up after it got the memory holds nothing, and the next user gets it', async () => {
  const pool = new MemoryPool(10)
  const release = pool.takeAtOnce(10)
  const [first, second] = [pool.wait(10), pool.wait(10)]
  release?.()
  first.giveUp() // `first.room` has resolved, but its user has not noticed
  const releaseSecond = await second.room
  expect(pool.held).toBe(10)
  releaseSecond()
  expect(pool.held).toBe(0)
})
