import type { Delivery } from './delivery.ts'
import { builtinModule } from './runtime/platform.ts'

/** A GitHub App: its id and its private key. */
export interface AppOptions {
  /** The App ID or the client ID. */
  id: number | string
  /** The private key from GitHub: the PEM text, which may have `\n` instead of line breaks, or the path of its file. */
  privateKey: string
}

/**
 * Chooses the App of a delivery, for a program that serves several Apps, for example by `delivery.source`. `undefined`:
 * the delivery belongs to no App.
 */
export type AppResolver = (delivery: Delivery) => AppOptions | undefined | Promise<AppOptions | undefined>

/** The App for calls that belong to no delivery. `undefined` if the option `app` is a function. */
export const appWithoutDelivery = (app: AppOptions | AppResolver | undefined): AppOptions | undefined =>
  typeof app === 'function' ? undefined : app

/**
 * Checks the option `app` and reads its key.
 * @throws {TypeError} if the option is invalid. The message never shows `privateKey`.
 */
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

/**
 * The App that `GITHUB_APP_ID` and `GITHUB_APP_PRIVATE_KEY` specify.
 * @throws {TypeError} if only one of the two variables is set, or if the key is invalid.
 */
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
  // GitHub generates keys in PKCS#1. Other tools convert them to PKCS#8, so both are valid.
  const [pem] =
    /-----BEGIN (RSA )?PRIVATE KEY-----.*-----END \1PRIVATE KEY-----/s.exec(text.replaceAll('\\n', '\n')) ?? []
  if (pem && isRsa(pem)) return pem
  throw new TypeError(
    `${what} is not an RSA private key: use the whole key that GitHub generated, from -----BEGIN to -----END`,
  )
}

/** Without `node:crypto`, always `true`: an invalid key then fails when hookserver first signs a token with it. */
function isRsa(pem: string): boolean {
  const crypto = builtinModule<{ createPrivateKey(pem: string): { asymmetricKeyType?: string } }>('node:crypto')
  try {
    return !crypto || crypto.createPrivateKey(pem).asymmetricKeyType === 'rsa'
  } catch {
    return false
  }
}

/** @throws {TypeError} The message does not show `path`, which may be a key that has lost its first line. */
function readFile(path: string, what: string): string {
  const fs = builtinModule<{ readFileSync(path: string, encoding: 'utf8'): string }>('node:fs')
  if (!fs) throw new TypeError(`${what} is not PEM text, and this platform cannot read files`)
  try {
    return fs.readFileSync(path, 'utf8')
  } catch (error) {
    const { code = 'unknown' } = error as { code?: string }
    throw new TypeError(`${what} is neither PEM text nor the path of a readable file (${code})`)
  }
}
