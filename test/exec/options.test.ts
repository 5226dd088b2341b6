import { expect, test } from 'vitest'
import { exec } from '../../src/exec/index.ts'

const call = exec as (...args: unknown[]) => unknown

test.each<[string, unknown[]]>([
  ['Argument "file" must be a path or the name of a program, got ""', ['']],
  ['Argument "file" must be a path or the name of a program, got undefined', []],
  ['Argument "file" must be a path or the name of a program, got "a\\u0000b"', ['a\0b']],
  ['Argument "args" must be a list of strings without NUL, got "-v"', ['git', '-v']],
  ['Argument "args" must be a list of strings without NUL, got [1]', ['git', [1]]],
  ['Argument "args" must be a list of strings without NUL, got ["\\u0000"]', ['git', ['\0']]],
  ['Argument "args" must be a list of strings without NUL, got {}', ['git', {}, {}]],
  ['Argument "options" must be an object, got null', ['git', null]],
  ['Argument "options" must be an object, got null', ['git', [], null]],
  ['Argument "options" must be an object, got []', ['git', [], []]],
  ['Unknown option "shell" of exec()', ['git', { shell: true }]],
  ['Unknown option "constructor" of exec()', ['git', { constructor: 1 }]],
  ['Option "cwd" of exec() must be the path of a folder, got ""', ['git', { cwd: '' }]],
  ['Option "cwd" of exec() must be the path of a folder, got 1', ['git', { cwd: 1 }]],
  ['Option "env" of exec() must be an object of strings, got []', ['git', { env: [] }]],
  [
    'Option "env" of exec() must be an object whose keys are names of variables, got "A=B"',
    ['git', { env: { 'A=B': '' } }],
  ],
  ['Option "env" of exec(): TOKEN must be a string without NUL', ['git', { env: { TOKEN: 'secret\0' } }]],
  ['Option "env" of exec(): TOKEN must be a string without NUL', ['git', { env: { TOKEN: 1 } }]],
  ...['', 'refs/heads/main', 'release/*', 'a b', 'a/', 'a.lock', 1, [], ['main', '']].map(
    (branch): [string, unknown[]] => [
      `or a list of them, without patterns, got ${JSON.stringify(branch)}`,
      ['git', { branch }],
    ],
  ),
  ...[0, -1, 1.5, '60', 2 ** 31, Number.NaN].map((timeout): [string, unknown[]] => [
    `Option "timeout" of exec() must be a whole number of milliseconds, 1 to 2147483647, or a text such as '30s', got ${typeof timeout === 'string' ? '"60"' : timeout}`,
    ['git', { timeout }],
  ]),
  [
    'Option "killAfter" of exec() must be a whole number of milliseconds, 0 to 2147483647, or a text such as \'30s\', got -1',
    ['git', { killAfter: -1 }],
  ],
  ['Option "order" of exec() must be "repository" or false, got true', ['git', { order: true }]],
])('%s', (message, args) => {
  let error: unknown
  try {
    call(...args)
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(TypeError)
  expect((error as Error).message).toContain(message)
  expect((error as Error).message).not.toContain('secret')
  const { stack = '' } = error as Error
  expect(stack.slice(stack.indexOf('\n    at'))).toMatch(/^\n +at .*options\.test\.ts:/)
})

test.each<[string, unknown[]]>([
  ['a file', ['git']],
  ['arguments', ['git', ['pull']]],
  ['options', ['git', { branch: ['main', 'release/1.0'], killAfter: 0, order: 'repository' }]],
  ['both', ['git', ['pull'], { timeout: '1ms', order: false, env: { A: '', B: undefined } }]],
  ['undefined arguments', ['git', undefined, undefined]],
  ['options that are undefined', ['git', { cwd: undefined, branch: undefined, timeout: undefined, order: undefined }]],
])('accepts %s', (_, args) => {
  expect(call(...args)).toBeTypeOf('function')
})
