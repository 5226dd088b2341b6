import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { withCauses } from '../../src/cli/output.ts'
import { main } from '../build.ts'
import { compileCache } from '../compile-cache.ts'

test.runIf(process.platform === 'linux').each(['ranges --help', 'completion bash'])(
  'reports in one line that it cannot write to a full disk: %s',
  (command) => {
    const { status, stderr } = spawnSync('sh', ['-c', `'${process.execPath}' '${main}' ${command} > /dev/full`], {
      env: { ...process.env, ...compileCache },
      encoding: 'utf8',
    })
    const line = 'hookserver: Cannot write to standard output: ENOSPC: no space left on device, write\n'
    expect([status, stderr]).toEqual([1, line])
  },
)

test('joins the messages of an error and its causes, which may form a cycle', () => {
  const refused = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })
  const outer = new Error('outer', { cause: new TypeError('fetch failed', { cause: refused }) })
  expect(withCauses(outer)).toBe('outer: ECONNREFUSED')
  refused.cause = outer
  expect(withCauses(outer)).toBe('outer: ECONNREFUSED')
  expect([withCauses('text'), withCauses(new Error())]).toEqual(['text', 'Error'])
})
