/** A payload from a file, and the changes of `--set`. */
import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { isObject, type Json } from '../../runtime/json.ts'
import { UsageError } from '../flags.ts'

export interface FilePayload {
  /** The text as it is in the file: these bytes are signed. */
  text: string
  payload: Json
}

/** Reads a JSON object; `-` is standard input. @throws {UsageError} */
export async function readPayload(path: string): Promise<FilePayload> {
  const name = path === '-' ? 'Standard input' : path
  const text = decode(await read(path), name)
  const payload = parse(text, name)
  if (isObject(payload)) return { text, payload }
  throw new UsageError(`${name} is not a JSON object, which a payload must be`)
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return path === '-' ? await buffer(process.stdin) : await readFile(path)
  } catch (error) {
    throw new UsageError(`--file ${path} cannot be read: ${(error as Error).message}`)
  }
}

/** Drops a byte order mark, which Windows writes and JSON does not allow. */
function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new UsageError(`${name} is not UTF-8, which a payload must be`)
  }
}

/** The error of `JSON.parse()` would quote the text, which is a secret if the wrong file was named. */
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

/** Reads the value as JSON if it is JSON, else as text. @throws {UsageError} */
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
 * Sets a member at any depth, and creates missing objects on the way.
 * @throws {UsageError} if the path leads into a text or number, or beyond the end of an array.
 */
export function applyChange(payload: object, { path, value }: Change): void {
  const keys = path.split('.')
  const last = keys.length - 1
  let at = payload as Json
  for (const [depth, key] of keys.entries()) {
    if (Array.isArray(at) && !(/^\d+$/.test(key) && Number(key) <= at.length)) {
      // An item can be replaced, or added at the end; a gap would become `null` in JSON.
      throw new UsageError(`--set ${path}: "${key}" must be a number from 0 to ${at.length}, an index of the array`)
    }
    const present = Object.hasOwn(at, key) ? at[key] : undefined
    if (depth === last) setMember(at, key, value)
    else if (present === undefined || present === null) setMember(at, key, {})
    else if (typeof present !== 'object') {
      throw new UsageError(`--set ${path}: ${keys.slice(0, depth + 1).join('.')} is neither an object nor an array`)
    }
    at = at[key] as Json
  }
}

/** Defines an own member, even for the name `__proto__`. */
function setMember(at: object, key: string, value: unknown): void {
  const own = { enumerable: true, writable: true, configurable: true }
  Object.defineProperty(at, key, { value: structuredClone(value), ...own })
}
