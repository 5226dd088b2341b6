import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { OldTransaction } from '../../src/inbox/records.ts'
import { describeOldTransaction, logOldTransactions } from '../../src/server/old-transaction.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const old: OldTransaction = { pid: 4711, user: 'reports', application: 'psql', age: 245_000 }

test('names the client of an old transaction', () => {
  const [message, cure] = describeOldTransaction(old)
  expect(message).toMatch(
    /^The transaction of process 4711 of PostgreSQL \(psql, user reports\) has been open for 4 min:/,
  )
  expect(cure).toBe('end it: select pg_terminate_backend(4711)')
  expect(describeOldTransaction({ ...old, application: '' })[0]).toContain('(user reports)')
})

test('logs an old transaction at most once in ten minutes', async () => {
  const warn = vi.fn()
  let found: OldTransaction | undefined
  const stop = logOldTransactions({ oldTransaction: async () => found }, { warn })
  const pass = (minutes: number) => vi.advanceTimersByTimeAsync(minutes * 60_000)
  await pass(2)
  expect(warn).not.toHaveBeenCalled()
  found = old
  await pass(1)
  expect(warn.mock.calls).toEqual([[old, expect.stringContaining('select pg_terminate_backend(4711)')]])
  await pass(9)
  expect(warn).toHaveBeenCalledTimes(1)
  await pass(1)
  expect(warn).toHaveBeenCalledTimes(2)
  stop()
  await pass(30)
  expect(warn).toHaveBeenCalledTimes(2)
})

test('tries again after an error of the inbox', async () => {
  const warn = vi.fn()
  let isDown = true
  const oldTransaction = async () => {
    if (isDown) throw new Error('down')
    return old
  }
  const stop = logOldTransactions({ oldTransaction }, { warn })
  await vi.advanceTimersByTimeAsync(60_000)
  isDown = false
  await vi.advanceTimersByTimeAsync(60_000)
  expect(warn).toHaveBeenCalledTimes(1)
  stop()
})
