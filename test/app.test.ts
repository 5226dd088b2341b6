import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { AppOptions } from '../src/index.ts'
import { Hooks } from '../src/index.ts'
import { optionsOf } from '../src/internals.ts'
import { resolveOptions } from '../src/settings.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pkcs1 = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString().trim()
const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().trim()

const appOf = (app?: unknown) => resolveOptions({ app: app as never }).app as AppOptions | undefined
const keyOf = (given: string) => appOf({ id: 3, privateKey: given })?.privateKey

/** The error that this value of the option `app` causes. */
function rejectionOf(app: unknown): TypeError {
  let thrown: unknown
  try {
    appOf(app)
  } catch (error) {
    thrown = error
  }
  return thrown as TypeError
}

/** Writes a key to a file, for one test. */
function fileWith(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-key-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'key.pem'), content)
  return join(folder, 'key.pem')
}

describe('the key of an App', () => {
  test.each([
    ['as GitHub generates it', pkcs1],
    ['as other tools convert it', pkcs8],
  ])('is accepted %s, as text or as a file', (_what, pem) => {
    expect(keyOf(pem)).toBe(pem)
    expect(keyOf(`\n${pem}\n`)).toBe(pem)
    expect(keyOf(pem.replaceAll('\n', '\\n'))).toBe(pem)
    expect(keyOf(`"${pem.replaceAll('\n', '\\n')}"`)).toBe(pem) // docker --env-file keeps the quotes
    expect(keyOf(fileWith(`${pem}\n`))).toBe(pem)
  })

  const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  })
  test.each([
    ['only its first line', '-----BEGIN RSA PRIVATE KEY-----'],
    ['a part of it', pkcs1.split('\n').toSpliced(5, 3).join('\n')],
    ['without its line breaks', pkcs1.replaceAll('\n', ' ')],
    ['the public key', publicKey.export({ type: 'spki', format: 'pem' }).toString()],
    ['a key of another type', elliptic.toString()],
    ['encrypted', encrypted()],
  ])('is rejected if it is %s', (_what, given) => {
    const { message } = rejectionOf({ id: 3, privateKey: given })
    expect(message).toMatch(
      /^Option "app": its "privateKey" is not an RSA private key: use the whole key that GitHub generated/,
    )
    expect(rejectionOf({ id: 3, privateKey: fileWith(given.includes('-----BEGIN') ? given : '') }).message).toBe(
      message,
    )
  })

  test('is rejected if the file does not exist', () => {
    expect(rejectionOf({ id: 3, privateKey: '/nowhere/key.pem' }).message).toBe(
      'Option "app": its "privateKey" is neither PEM text nor the path of a readable file (ENOENT)',
    )
  })

  test('is never shown, even if its first line is missing', () => {
    const [, ...lines] = pkcs1.split('\n')
    for (const given of [lines.join('\n'), lines.join(''), pkcs1.replace('BEGIN', 'BEGINN'), pkcs1.slice(0, 400)]) {
      const shown = inspect(rejectionOf({ id: 3, privateKey: given }), { showHidden: true, depth: 9 })
      expect(shown).toMatch(/^TypeError: Option "app"/)
      for (const line of lines.slice(0, -1)) expect(shown).not.toContain(line.slice(0, 32))
    }
    expect(inspect(new Hooks({ secret: 's', app: { id: 3, privateKey: pkcs1 } }), { showHidden: true })).not.toContain(
      String(lines[0]),
    )
  })

  test('is checked on Node.js, and accepted unchecked elsewhere', () => {
    vi.stubGlobal('process', undefined)
    onTestFinished(() => void vi.unstubAllGlobals())
    expect(keyOf(pkcs8)).toBe(pkcs8)
    expect(rejectionOf({ id: 3, privateKey: 'key.pem' }).message).toMatch(/this platform cannot read files$/)
  })
})

describe('an App', () => {
  test.each([[3], ['3'], ['Iv1.0123456789abcdef'], ['Iv23liABCdefGHIjklMN']])('has the id %j', (id) => {
    expect(appOf({ id, privateKey: pkcs8 })).toEqual({ id, privateKey: pkcs8 })
  })

  const wrong: unknown[] = [
    ...[null, '3', {}, { id: 3 }, { privateKey: pkcs8 }],
    ...[0, -1, 1.5, '', 'two words', null].map((id) => ({ id, privateKey: pkcs8 })),
    ...['', 5, null].map((key) => ({ id: 3, privateKey: key })),
  ]
  test.each(wrong.map((given) => [given]))('cannot be %j', (given) => {
    expect(rejectionOf(given)).toBeInstanceOf(TypeError)
    expect(rejectionOf(given).message).toMatch(/^Option "app" must be { id, privateKey }: the App ID or the client ID/)
  })
})

describe('the environment', () => {
  afterEach(() => void vi.unstubAllEnvs())
  const set = (id: string, key: string) => {
    vi.stubEnv('GITHUB_APP_ID', id)
    vi.stubEnv('GITHUB_APP_PRIVATE_KEY', key)
  }

  test('configures an App with two variables; the key may be the path of a file', () => {
    expect(appOf()).toBeUndefined()
    set('3', pkcs1.replaceAll('\n', '\\n'))
    expect(appOf()).toEqual({ id: '3', privateKey: pkcs1 })
    set('3', fileWith(pkcs8))
    expect(appOf()).toEqual({ id: '3', privateKey: pkcs8 })
  })

  test('is overridden by the option, and is read when the Hooks is created', () => {
    set('3', pkcs1)
    expect(appOf({ id: 4, privateKey: pkcs8 })).toEqual({ id: 4, privateKey: pkcs8 })
    const hooks = new Hooks({ secret: 's' })
    vi.unstubAllEnvs()
    expect(optionsOf(hooks).app).toEqual({ id: '3', privateKey: pkcs1 })
  })

  test('is rejected with the name of the variable if one is missing or the key is invalid', () => {
    set('3', '')
    expect(() => appOf()).toThrow('belong together: set GITHUB_APP_PRIVATE_KEY too, or neither')
    set('', pkcs1)
    expect(() => appOf()).toThrow('belong together: set GITHUB_APP_ID too, or neither')
    set('3', '-----BEGIN RSA PRIVATE KEY-----')
    expect(() => appOf()).toThrow('The environment variable GITHUB_APP_PRIVATE_KEY is not an RSA private key')
  })
})

function encrypted(): string {
  const { privateKey: key } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'p' }).toString()
}
