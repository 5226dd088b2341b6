import { existsSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { stackWithCode } from '../../../src/server/config/code-excerpt.ts'

vi.mock('node:fs', { spy: true })
// As on Windows: a path that begins with two separators names another machine.
vi.mock('node:path', async (original) => {
  const path = await original<typeof import('node:path')>()
  return { ...path, resolve: path.win32.resolve }
})

test.each(['\\\\host\\share\\hooks.ts', '//host/share/hooks.ts'])(
  'a text of the sender that looks like a frame makes the process contact no other machine: %s',
  (file) => {
    const stack = `Error: no\n    at ${file}:1:1\n    at handle (C:\\bot\\hooks.ts:2:3)`
    expect(stackWithCode(stack, Date.now())).toBe(stack)
    expect(vi.mocked(existsSync).mock.calls).toEqual([['C:\\bot\\hooks.ts']])
    vi.mocked(existsSync).mockClear()
  },
)
