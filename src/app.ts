/** A GitHub App: who it is, and the key that it signs with. */
export interface AppOptions {
  /** Its App ID or its client ID. */
  id: number | string
  /** The private key that GitHub made for it: the PEM text, in which `\n` may stand for line breaks, or the path of its file. */
  privateKey: string
}

/** An App with its key read. @throws {TypeError} naming what is wrong; it never shows the key, nor what may be one. */
export function readApp(given: unknown): AppOptions {
  const { id, privateKey } = (given ?? {}) as Partial<AppOptions>
  const hasId = typeof id === 'string' ? /^[\w.]+$/.test(id) : Number.isSafeInteger(id) && (id as number) > 0
  if (!hasId || typeof privateKey !== 'string' || privateKey === '') {
    throw new TypeError(
      'Option "app" must be { id, privateKey }: the App ID or the client ID, and the PEM text of a private key or the path of its file',
    )
  }
  return { id: id as number | string, privateKey: readKey(privateKey, 'Option "app": its "privateKey"') }
}

/** The App that the environment names. @throws {TypeError} if it names half of one. */
export function appIn(env: (name: string) => string | undefined): AppOptions | undefined {
  const [id, privateKey] = [env('GITHUB_APP_ID'), env('GITHUB_APP_PRIVATE_KEY')]
  if (!id && !privateKey) return undefined
  if (!id || !privateKey) {
    const missing = id ? 'GITHUB_APP_PRIVATE_KEY' : 'GITHUB_APP_ID'
    throw new TypeError(`GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY belong together: set ${missing} too, or neither`)
  }
  return { id, privateKey: readKey(privateKey, 'The environment variable GITHUB_APP_PRIVATE_KEY') }
}

/** @throws {TypeError} */
function readKey(given: string, what: string): string {
  const text = given.includes('-----BEGIN') ? given : readFile(given, what)
  // PKCS#1 is what GitHub hands out, PKCS#8 what other tools make of it.
  const [pem] =
    /-----BEGIN (RSA )?PRIVATE KEY-----.*-----END \1PRIVATE KEY-----/s.exec(text.replaceAll('\\n', '\n')) ?? []
  if (pem && isRsa(pem)) return pem
  throw new TypeError(
    `${what} is no RSA private key: give the one that GitHub made for the App, as a whole, from -----BEGIN to -----END`,
  )
}

/** The part of Node.js that is used, where there is one; other platforms find out when they sign. */
interface Platform {
  process?: {
    getBuiltinModule?(id: 'node:fs'): { readFileSync(path: string, encoding: 'utf8'): string } | undefined
    getBuiltinModule?(id: 'node:crypto'): { createPrivateKey(pem: string): { asymmetricKeyType?: string } } | undefined
  }
}

function isRsa(pem: string): boolean {
  try {
    const crypto = (globalThis as Platform).process?.getBuiltinModule?.('node:crypto')
    return !crypto || crypto.createPrivateKey(pem).asymmetricKeyType === 'rsa'
  } catch {
    return false
  }
}

/** @throws {TypeError} without the path, which may be a key that lost its first line. */
function readFile(path: string, what: string): string {
  try {
    const fs = (globalThis as Platform).process?.getBuiltinModule?.('node:fs')
    if (fs) return fs.readFileSync(path, 'utf8')
  } catch (error) {
    const { code = 'unknown' } = error as { code?: string }
    throw new TypeError(`${what} is no PEM text, and there is no file of that name that can be read (${code})`)
  }
  throw new TypeError(`${what} is no PEM text, and files cannot be read on this platform`)
}
