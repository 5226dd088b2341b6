import { expect, test, vi } from 'vitest'
import { withoutExperimentalWarning } from '../../src/runtime/experimental-warning.ts'

test('leaves out the warning of an experimental feature, and no other warning', () => {
  const emitWarning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const result = withoutExperimentalWarning(() => {
    process.emitWarning('SQLite is an experimental feature', 'ExperimentalWarning')
    process.emitWarning('old', 'DeprecationWarning')
    return 1
  })
  process.emitWarning('later', 'ExperimentalWarning')
  expect(emitWarning.mock.calls).toEqual([
    ['old', 'DeprecationWarning'],
    ['later', 'ExperimentalWarning'],
  ])
  emitWarning.mockRestore()
  expect(result).toBe(1)
})
