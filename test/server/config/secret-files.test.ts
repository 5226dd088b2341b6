import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  accessProblem,
  keepRandom,
  othersAccess,
  othersWrite,
  readKept,
  readLine,
  readSecrets,
  readToken,
} from '../../../src/server/config/secret-files.ts'
import { project } from '../service.ts'

const token = 'a-token-that-is-hard-to-guess'

/** A file with a token. The umask does not change its mode. */
function fileOf(mode: number): string {
  const file = join(project(), 'token')
  writeFileSync(file, `${token}\n`)
  chmodSync(file, mode)
  return file
}

const readers = { readToken, readLine, readSecrets: (file: string) => readSecrets(file)[0] }

describe.each(Object.entries(readers))('a file that the operator created, read by %s', (_name, read) => {
  test.each([0o600, 0o400, 0o440, 0o444, 0o640, 0o644])('may have mode %o', (mode) => {
    expect(read(fileOf(mode))).toBe(token)
  })

  test.each([0o620, 0o602, 0o664, 0o666])('is rejected with mode %o, until the command in the error is run', (mode) => {
    const file = fileOf(mode)
    expect(() => read(file)).toThrow(`${file} can be written by its group or other users: run chmod 600 ${file}`)
    chmodSync(file, 0o600)
    expect(read(file)).toBe(token)
  })

  test('may be a symbolic link, as in a secret that Kubernetes mounts', () => {
    const folder = project()
    mkdirSync(join(folder, '..data'))
    writeFileSync(join(folder, '..data', 'token'), token, { mode: 0o444 })
    symlinkSync('..data/token', join(folder, 'token'))
    expect(read(join(folder, 'token'))).toBe(token)
  })
})

describe('a file with secrets', () => {
  const secretsOf = (text: string) => {
    const file = join(project(), 'secret')
    writeFileSync(file, text, { mode: 0o600 })
    return { file, read: () => readSecrets(file) }
  }

  test('may have empty lines, and spaces inside of a secret', () => {
    expect(secretsOf('\nnew secret\r\n\nold\n').read()).toEqual(['new secret', 'old'])
  })

  test.each([' ', '\t', ' \r', '\u00a0'])('is rejected with a line of only white space: %j', (blank) => {
    const { file, read } = secretsOf(`new\n${blank}\nold\n`)
    expect(read).toThrow(`Line 2 of ${file} contains only white space: remove it, or write a secret`)
  })
})

describe('a file that we created', () => {
  test('is readable only by its owner, and is read again', () => {
    const file = join(project(), '.hookserver', 'token')
    const made = keepRandom(file)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect([keepRandom(file), readKept(file)]).toEqual([made, made])
  })

  test.each([
    [0o640, 'read'],
    [0o644, 'read'],
    [0o620, 'written'],
    [0o666, 'written'],
  ])('is rejected with mode %o, because others could have %s it', (mode, access) => {
    const file = fileOf(mode)
    for (const read of [keepRandom, readKept]) {
      expect(() => read(file)).toThrow(`${file} can be ${access} by its group or other users: run chmod 600 ${file}`)
    }
  })
})

/** A program that calls `keepRandom` after it has changed `fs`, which is the module `node:fs`. */
function programWith(change: string): string {
  const source = new URL('../../../src/server/config/secret-files.ts', import.meta.url).href
  return `const fs = require('node:fs')
    ${change}
    require('node:module').syncBuiltinESMExports()
    import(${JSON.stringify(source)}).then(({ keepRandom }) => keepRandom(process.argv[1]))`
}

test('a start that is killed while it writes the file does not leave a file that the next start rejects', () => {
  const file = join(project(), 'token')
  const program = programWith("fs.writeFileSync = () => process.kill(process.pid, 'SIGKILL')")
  expect(spawnSync(process.execPath, ['-e', program, file]).signal).toBe('SIGKILL')
  expect(keepRandom(file)).toBe(readKept(file))
})

test('a file is also created on a file system without hard links', () => {
  const file = join(project(), 'token')
  const program = programWith("fs.linkSync = () => { throw Object.assign(new Error(), { code: 'EPERM' }) }")
  expect(spawnSync(process.execPath, ['-e', program, file])).toMatchObject({ status: 0 })
  expect([keepRandom(file), statSync(file).mode & 0o777]).toEqual([readKept(file), 0o600])
  expect(readdirSync(dirname(file)).filter((name) => name.includes('token'))).toEqual(['token'])
})

test('a file that cannot be written is removed, so that the next start creates it', () => {
  const file = join(project(), 'token')
  const args = ['-c', 'ulimit -f 0; exec "$0" "$@"', process.execPath, '-e', programWith(''), file]
  const { stderr } = spawnSync('bash', args, { encoding: 'utf8' })
  expect([stderr, existsSync(file)]).toEqual([expect.stringContaining('EFBIG'), false])
  expect(keepRandom(file)).toBe(readKept(file))
})

describe('the owner of a file', () => {
  const [root, self, other] = [0, 1000, 4711]

  test.each([
    [self, 0o600, undefined],
    [root, 0o444, undefined],
    [root, 0o440, undefined],
    [root, 0o664, '/token can be written by its group or other users: run chmod go-w /token'],
    [other, 0o600, '/token belongs to user 4711, not to this user (1000) or root: run chown 1000 /token'],
    [other, 0o444, '/token belongs to user 4711, not to this user (1000) or root: run chown 1000 /token'],
  ])('must be this user or root: %i with mode %o', (uid, mode, problem) => {
    expect(accessProblem('/token', { uid, mode }, self, othersWrite)).toBe(problem)
  })

  test('is also checked for root', () => {
    expect(accessProblem('/token', { uid: other, mode: 0o600 }, root, othersWrite)).toContain('chown 0 /token')
  })

  test('is not checked on Windows', () => {
    expect(accessProblem('C:\\token', { uid: 0, mode: 0o666 }, undefined, othersAccess)).toBeUndefined()
  })

  test('is checked when a file is read', () => {
    const file = fileOf(0o600)
    const isRoot = process.geteuid?.() === 0 // only root can change the owner of a file
    if (isRoot) chownSync(file, other, other)
    const read = () => readToken(file)
    if (isRoot) expect(read).toThrow(`${file} belongs to user 4711, not to this user (0) or root: run chown 0 ${file}`)
    else expect(read()).toBe(token)
  })
})
