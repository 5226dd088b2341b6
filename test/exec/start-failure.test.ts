import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type ExecOptions, exec } from '../../src/exec/index.ts'
import { deliveryOf, failureOf, programs } from './fixtures.ts'

const { folder, write } = programs()

write('plain.sh', '#!/bin/sh\n', 0o644)
write('crlf.sh', '#!/bin/sh\r\necho\r\n')
mkdirSync(join(folder, 'sub'))

const cases: [name: string, file: string, options: ExecOptions, message: string][] = [
  ['does not exist', './absent.sh', {}, `there is no ${folder}/absent.sh. "./absent.sh" is relative to ${folder}`],
  ['does not exist at its full path', `${folder}/absent.sh`, {}, `there is no ${folder}/absent.sh`],
  [
    'is not in PATH',
    'plain-sh',
    { env: { PATH: '/nowhere' } },
    `PATH (/nowhere) has no plain-sh. To run the file in ${folder}, write "./plain-sh"`,
  ],
  ['is not executable', './plain.sh', {}, `it is not executable: chmod +x ${folder}/plain.sh`],
  [
    'is not executable in PATH',
    'plain.sh',
    { env: { PATH: folder } },
    `the plain.sh in PATH (${folder}) is not executable: use chmod +x`,
  ],
  [
    'has a missing interpreter',
    './crlf.sh',
    {},
    `the interpreter in the first line of ${folder}/crlf.sh does not exist, or the line ends in CR LF and the CR is taken as a part of the name`,
  ],
  ['is a folder', './sub', {}, `${folder}/sub is a folder`],
  [
    'has a missing working directory',
    'true',
    { cwd: `${folder}/none` },
    `its working directory ${folder}/none does not exist`,
  ],
  [
    'has a file as its working directory',
    'true',
    { cwd: `${folder}/plain.sh` },
    `its working directory ${folder}/plain.sh is not a folder`,
  ],
]

test.each(cases)('a program that %s', async (_, file, options, message) => {
  const failure = await failureOf(deliveryOf().run(exec(file, { cwd: folder, ...options })))
  expect(failure.message).toBe(`${file} could not be started: ${message}`)
  expect(failure.cause).toBeInstanceOf(Error)
})

test('a program that cannot be started does not delay the next run', async () => {
  const handler = exec('./later.sh', { cwd: folder })
  await failureOf(deliveryOf().run(handler))
  write('later.sh', '#!/bin/sh\n')
  expect(await deliveryOf().run(handler)).toContain('exited with 0')
})

test('another error of the system is reported with its own message', async () => {
  const handler = exec('true', ['x'.repeat(3_000_000)])
  expect((await failureOf(deliveryOf().run(handler))).message).toBe('true could not be started: spawn E2BIG')
})
