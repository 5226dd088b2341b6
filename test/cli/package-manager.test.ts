import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { onScriptEnd } from '../../src/cli/package-manager.ts'

const { ppid } = process

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

const loseParent = () => vi.spyOn(process, 'ppid', 'get').mockReturnValue(ppid === 1 ? 2 : 1)

test('calls back once when the shell of a script has ended', () => {
  vi.stubEnv('npm_lifecycle_event', 'start')
  const stop = vi.fn()
  onScriptEnd(stop)
  vi.advanceTimersByTime(10_000)
  expect(stop).not.toHaveBeenCalled()
  loseParent()
  vi.advanceTimersByTime(10_000)
  expect(stop).toHaveBeenCalledOnce()
})

test('never calls back without a package manager: a script may start a server in the background', () => {
  vi.stubEnv('npm_lifecycle_event', undefined)
  const stop = vi.fn()
  onScriptEnd(stop)
  loseParent()
  vi.advanceTimersByTime(10_000)
  expect(stop).not.toHaveBeenCalled()
})
