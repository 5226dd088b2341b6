import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadEnvFile, updateEnvFile } from '../../../src/server/config/env-file.ts'
import { project } from '../service.ts'

/**
 * Creates a folder with a file `.env` that contains the text. Without a text, the folder is empty. @returns the path of
 * the file, even if there is no file yet, and functions that read the file.
 */
function envFile(text?: string) {
  const folder = project(text === undefined ? {} : { '.env': text })
  const path = join(folder, '.env')
  const read = () => readFileSync(path, 'utf8')
  return { folder, path, read, parsed: () => parseEnv(read()), mode: () => statSync(path).mode & 0o777 }
}

describe('loadEnvFile', () => {
  test('adds the variables that the environment does not have, and reports the added and the overridden names', () => {
    const { path } = envFile('ADDED=1\nGIVEN=file\nEMPTY=file\n')
    const env: NodeJS.ProcessEnv = { GIVEN: 'environment', EMPTY: '' }
    expect(loadEnvFile(path, env)).toEqual({ path, variables: ['ADDED'], overridden: ['EMPTY', 'GIVEN'] })
    expect(env).toEqual({ ADDED: '1', GIVEN: 'environment', EMPTY: '' })
  })

  test('ignores a byte order mark', () => {
    const env: NodeJS.ProcessEnv = {}
    loadEnvFile(envFile('\ufeffFIRST=1\n').path, env)
    expect(env).toEqual({ FIRST: '1' })
  })

  test('says which file it cannot read', () => {
    const { path } = envFile()
    expect(() => loadEnvFile(path, {})).toThrow(`Cannot read ${path}: ENOENT`)
  })

  test.each([
    ['a colon', 'A=1\nKEY: hidden\n', 2, 'write KEY=… instead of KEY: …'],
    ['a colon and an equals sign', 'KEY: hidden=\n', 1, 'write KEY=… instead of KEY: …'],
    ['a quote without a second one', 'A=1\r\n\r\nKEY="hidden\r\n', 3, 'has no second ": add it at the end'],
    ['a quote that ends at that of another variable', "KEY='hidden\nB='2'\n", 1, 'ends before other text'],
    ['text after the second quote', 'PEM="one\ntwo"\nexport KEY = `hidden`hidden', 3, 'ends before other text'],
  ])('rejects %s, and names the line and no value', (_, text, line, problem) => {
    const { path } = envFile(text)
    const env = {}
    const load = () => loadEnvFile(path, env)
    expect(load).toThrow(`${path}, line ${line}: `)
    expect(load).toThrow(problem)
    expect(load).toThrow(/^(?!.*hidden)/s)
    expect(env).toEqual({})
  })

  test('accepts quotes, colons and equals signs in values, and lines without a variable', () => {
    const text = `
      # KEY: "
      A=http://localhost:80/?a="b" # it's a comment
      B="one's: \nC: two" # 'three
      D='{"e": 1}'
      not an assignment
      F='' `
    const env: NodeJS.ProcessEnv = {}
    loadEnvFile(envFile(text).path, env)
    expect(env).toEqual({ A: 'http://localhost:80/?a="b"', B: "one's: \nC: two", D: '{"e": 1}', F: '' })
  })
})

describe('updateEnvFile', () => {
  test('creates a file that only its owner can read', () => {
    const { path, read, mode } = envFile()
    updateEnvFile(path, { A: 'one', B: 'two words' })
    expect([read(), mode()]).toEqual(['A=one\nB="two words"\n', 0o600])
  })

  test('keeps other lines, comments and the order', () => {
    const before = '# A comment with a quote: "\nexport A=old # why\n\nB = "kept" \nC=\'old\'\nno assignment\n'
    const { path, read } = envFile(before)
    updateEnvFile(path, { C: 'new', A: 'new one', D: 'added' })
    expect(read()).toBe(
      '# A comment with a quote: "\nexport A="new one" # why\n\nB = "kept" \nC=new\nno assignment\nD=added\n',
    )
  })

  test('replaces a value of several lines, and nothing that looks like an assignment in another value', () => {
    const { path, read, parsed } = envFile('KEPT="one\nA=in a value\n"\nA=`old\nlines`\nB=1')
    updateEnvFile(path, { A: 'new', C: '2' })
    expect(read()).toBe('KEPT="one\nA=in a value\n"\nA=new\nB=1\nC=2\n')
    expect(parsed()).toEqual({ KEPT: 'one\nA=in a value\n', A: 'new', B: '1', C: '2' })
  })

  test('replaces every assignment of a variable, so that no old secret stays', () => {
    const { path, read } = envFile('A=old\nA=older\n')
    updateEnvFile(path, { A: 'new' })
    expect(read()).toBe('A=new\nA=new\n')
  })

  test('writes a private key on one line', () => {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
      publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
    })
    const { path, read } = envFile('# The App\n')
    updateEnvFile(path, { GITHUB_APP_PRIVATE_KEY: privateKey })
    expect(read().split('\n')).toHaveLength(3)
    const env: NodeJS.ProcessEnv = {}
    loadEnvFile(path, env)
    expect(env.GITHUB_APP_PRIVATE_KEY).toBe(privateKey)
  })

  test('does not write a file that already has the values and the mode', () => {
    const { path } = envFile("A='one'\n")
    const before = statSync(path).ino
    updateEnvFile(path, { A: 'one' })
    expect(statSync(path).ino).toBe(before)
  })

  test('removes the access of other users', () => {
    const { path, mode } = envFile('A=one\n')
    chmodSync(path, 0o644)
    updateEnvFile(path, { A: 'one' })
    expect(mode()).toBe(0o600)
  })

  test('does not follow a symbolic link', () => {
    const { folder, path } = envFile()
    writeFileSync(join(folder, 'real'), 'A=old\n')
    symlinkSync('real', path)
    expect(() => updateEnvFile(path, { A: 'new' })).toThrow('it is a symbolic link')
    expect(readFileSync(join(folder, 'real'), 'utf8')).toBe('A=old\n')
  })

  test('does not replace a folder', () => {
    const { path } = envFile()
    mkdirSync(path)
    expect(() => updateEnvFile(path, { A: 'new' })).toThrow('it is not a file')
  })

  test.each([
    ['a value that contains every kind of quotes', 'A=old\n', { A: `hidden"'\`` }],
    ['a value with a line break that double quotes would change', 'A=old\n', { A: 'hidden\\n\'`\n"' }],
    ['a name that a variable cannot have', 'A=old\n', { 'A B=C': 'hidden' }],
    ['a file that Node.js would read differently afterwards', 'A=old\nQUOTED="open\n', { NEW: 'hid"den' }],
  ])('leaves the old file, and no other one, after an error: %s', (_, before, values) => {
    const { folder, path, read } = envFile(before)
    expect(() => updateEnvFile(path, values)).toThrow(/^Cannot (write|change) (?!.*hid)/)
    expect([read(), readdirSync(folder)]).toEqual([before, ['.env']])
  })

  test('creates no file if the folder does not exist', () => {
    const { folder } = envFile()
    const path = join(folder, 'missing', '.env')
    expect(() => updateEnvFile(path, { A: 'new' })).toThrow(`Cannot write ${path}: ENOENT`)
    expect(readdirSync(folder)).toEqual([])
  })

  test('writes a file that Node.js reads back, or reports an error and changes nothing', () => {
    const { path, read } = envFile('')
    const text = fc.array(fc.constantFrom('A', 'B', '=', '"', "'", '`', '#', '\n', '\\n', ' ', 'export ', '\r\n', 'x'))
    const joined = text.map((parts) => parts.join(''))
    fc.assert(
      fc.property(joined, joined, (before, value) => {
        writeFileSync(path, before)
        try {
          updateEnvFile(path, { A: value })
        } catch {
          expect(read()).toBe(before)
          return
        }
        expect(parseEnv(read())).toEqual({ ...parseEnv(before), A: value })
      }),
      { numRuns: 500 },
    )
  })
})
