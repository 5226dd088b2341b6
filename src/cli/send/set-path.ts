import { UsageError } from '../errors.ts'

/** What `--set path=value` asks for: `repository.full_name=acme/app`, `commits.0.added=["a.txt"]`. */
export interface Change {
  path: string
  keys: readonly string[]
  value: unknown
}

/** The value is JSON where it is JSON, and text elsewhere. @throws {UsageError} */
export function parseChange(text: string): Change {
  const [, path = '', value = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? []
  const keys = path.split('.')
  if (keys.includes('')) throw new UsageError('--set takes path=value, such as repository.full_name=acme/app')
  return { path, keys, value: jsonOrText(value) }
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/**
 * Sets a member of `payload`, however deep; objects that are missing on the way are made.
 * @throws {UsageError} if the path leads into something that has no members, or past the end of an array.
 */
export function setPath(payload: object, { path, keys, value }: Change): void {
  const last = keys.at(-1) as string
  let at: object = payload
  for (const [depth, key] of keys.slice(0, -1).entries()) {
    checkIndex(at, key, path)
    const next = Object.hasOwn(at, key) ? (at as Record<string, unknown>)[key] : undefined
    if (next !== undefined && next !== null && typeof next !== 'object') {
      throw new UsageError(`--set ${path}: nothing can be set inside of ${keys.slice(0, depth + 1).join('.')}`)
    }
    if (!next) write(at, key, {})
    at = next ?? ((at as Record<string, unknown>)[key] as object)
  }
  checkIndex(at, last, path)
  write(at, last, value)
}

/** An item can be replaced, or added at the end; a hole would become a null that nobody asked for. */
function checkIndex(at: object, key: string, path: string): void {
  if (!Array.isArray(at) || (/^\d+$/.test(key) && Number(key) <= at.length)) return
  throw new UsageError(`--set ${path}: "${key}" should be a number from 0 to ${at.length}, since it is in a list`)
}

/** As a member of its own, even if it is called `__proto__`. */
function write(at: object, key: string, value: unknown): void {
  Object.defineProperty(at, key, {
    value: structuredClone(value),
    enumerable: true,
    writable: true,
    configurable: true,
  })
}
