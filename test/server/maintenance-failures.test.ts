import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { MaintenanceFailure } from '../../src/inbox/records.ts'
import { logMaintenanceFailures } from '../../src/server/maintenance-failures.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))
afterEach(() => void vi.useRealTimers())

const pass = () => vi.advanceTimersByTimeAsync(1000)

test('logs each failure once, and again after it has ended', async () => {
  const error = vi.fn()
  const [pruning, heartbeats] = ['pruning', 'heartbeats'].map((work) => ({ work, message: 'disk I/O error' }))
  let failing: (MaintenanceFailure | undefined)[] = []
  const found = async () => failing.filter((one) => one !== undefined)
  const stop = logMaintenanceFailures({ maintenanceFailures: found }, { error })
  await pass()
  expect(error).not.toHaveBeenCalled()
  for (const now of [[pruning], [pruning, heartbeats], [heartbeats], [pruning]]) {
    failing = now
    await pass()
    await pass()
  }
  expect(error.mock.calls.map(([{ work }]) => work)).toEqual(['pruning', 'heartbeats', 'pruning'])
  expect(error.mock.calls[0]?.[1]).toBe(
    'Maintenance of the inbox fails, and will be tried again: pruning: disk I/O error',
  )
  stop()
  failing = [heartbeats]
  await pass()
  expect(error).toHaveBeenCalledTimes(3)
})

test('checks again after an error of the inbox, and checks nothing in a store without maintenance', async () => {
  const error = vi.fn()
  const maintenanceFailures = vi.fn().mockRejectedValueOnce(new Error('closed'))
  maintenanceFailures.mockResolvedValue([{ work: 'pruning', message: 'disk I/O error' }])
  const stops = [logMaintenanceFailures({ maintenanceFailures }, { error }), logMaintenanceFailures({}, { error })]
  await pass()
  await pass()
  expect(error).toHaveBeenCalledTimes(1)
  for (const stop of stops) stop()
})
