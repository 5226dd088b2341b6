import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Count } from '../../src/inbox/counts.ts'
import { logCutOffAttempts } from '../../src/server/cut-off-attempts.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))
afterEach(() => void vi.useRealTimers())

const pass = () => vi.advanceTimersByTimeAsync(5000)

const count = (name: string, count: number, at = 0, outcome = 'cut off'): Count => {
  return { at, measure: 'attempts', name, outcome, count }
}

test('logs the attempts that were cut off since the previous check, by handler', async () => {
  const warn = vi.fn()
  const counts = vi.fn().mockResolvedValue([count('deploy', 1), count('mail', 7, 0, 'failed')])
  const { started, stop } = logCutOffAttempts({ counts }, { warn })
  await started
  await pass()
  expect(warn).not.toHaveBeenCalled()
  counts.mockResolvedValue([count('deploy', 2), count('deploy', 1, 60_000), count('mail', 1, 60_000)])
  await pass()
  await pass()
  expect(warn.mock.calls).toEqual([
    [
      { handlers: { deploy: 2, mail: 1 } },
      'Attempts were cut off and run again (their process died or sent no heartbeats): deploy (2), mail',
    ],
  ])
  counts.mockRejectedValueOnce(new Error('closed'))
  await pass()
  stop()
  counts.mockResolvedValue([count('deploy', 9)])
  await pass()
  expect(warn).toHaveBeenCalledTimes(1)
})

test('logs nothing of the time before the first check that succeeds', async () => {
  const warn = vi.fn()
  const counts = vi
    .fn()
    .mockResolvedValue([count('deploy', 1)])
    .mockRejectedValueOnce(new Error('not yet'))
  const { started, stop } = logCutOffAttempts({ counts }, { warn })
  await started
  await pass()
  await pass()
  expect(warn).not.toHaveBeenCalled()
  stop()
})
