/** Reads a payload from a file, and applies the changes of `--set`. */
import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { isObject, type Json } from '../../runtime/json.ts'
import { UsageError } from '../flags.ts'

export interface FilePayload {
  /** The text of the file, which is signed unchanged if there is no `--set`. */
  text: string
  payload: Json
}

/** Reads a JSON object; `-` is standard input. @throws {UsageError} */
export async function readPayload(path: string): Promise<FilePayload> {
  const name = path === '-' ? 'Standard input' : path
  const text = decode(await read(path), name)
  const payload = parse(text, name)
  if (isObject(payload)) return { text, payload }
  throw new UsageError(`${name} must contain a JSON object`)
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return path === '-' ? await buffer(process.stdin) : await readFile(path)
  } catch (error) {
    throw new UsageError(`Cannot read --file ${path}: ${(error as Error).message}`)
  }
}

/** Decodes UTF-8, and removes a byte order mark, which programs on Windows may add and JSON forbids. */
function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new UsageError(`${name} must be encoded in UTF-8`)
  }
}

/**
 * Shows only the place of an error. The message of `JSON.parse()` also quotes the text. If the user passes the wrong
 * file, this text may contain a secret.
 */
function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const [, place] = /\((line \d+ column \d+)\)$/.exec((error as Error).message) ?? []
    throw new UsageError(`${name} is not JSON${place ? `: see ${place}` : ''}`)
  }
}

/** A `--set path=value`: `repository.full_name=acme/app`, `commits.0.added=["a.txt"]`. */
export interface Change {
  path: string
  value: unknown
}

/** Parses the value as JSON if it is valid JSON; otherwise it is text. @throws {UsageError} */
export function parseChange(text: string): Change {
  const [, path = '', value = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? []
  if (path.split('.').includes('')) {
    throw new UsageError('--set takes path=value, such as repository.full_name=acme/app')
  }
  try {
    return { path, value: JSON.parse(value) }
  } catch {
    return { path, value }
  }
}

/**
 * Sets a member at any depth, and creates missing objects in between.
 * @throws {UsageError} if the path leads into a text, number or boolean, or if a key in an array is not the index of an
 *   item or of the end.
 */
export function applyChange(payload: object, { path, value }: Change): void {
  const keys = path.split('.')
  const last = keys.length - 1
  let at = payload as Json
  for (const [depth, key] of keys.entries()) {
    if (Array.isArray(at) && !(/^\d+$/.test(key) && Number(key) <= at.length)) {
      // An item may be replaced, or added at the end. A gap would become `null` in JSON.
      throw new UsageError(`--set ${path}: "${key}" must be an array index from 0 to ${at.length}`)
    }
    const present = Object.hasOwn(at, key) ? at[key] : undefined
    if (depth === last) setMember(at, key, value)
    else if (present === undefined || present === null) setMember(at, key, {})
    else if (typeof present !== 'object') {
      throw new UsageError(`--set ${path}: ${keys.slice(0, depth + 1).join('.')} is not an object or array`)
    }
    at = at[key] as Json
  }
}

/** Defines an own member, even if its name is `__proto__`. */
function setMember(at: object, key: string, value: unknown): void {
  const own = { enumerable: true, writable: true, configurable: true }
  Object.defineProperty(at, key, { value: structuredClone(value), ...own })
}
