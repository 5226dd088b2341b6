import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { UsageError } from '../errors.ts'

/** A payload as somebody wrote it. */
export interface WrittenPayload {
  /** As it is in the file, white space and all: these bytes are signed. */
  text: string
  payload: Record<string, unknown>
}

/** Reads a JSON object, from standard input if `path` is `-`. @throws {UsageError} */
export async function readPayload(path: string): Promise<WrittenPayload> {
  const name = path === '-' ? 'Standard input' : path
  const text = decode(await read(path), name)
  const payload = parse(text, name)
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    throw new UsageError(`${name} holds no JSON object, and a payload is one`)
  }
  return { text, payload: payload as Record<string, unknown> }
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return path === '-' ? await buffer(process.stdin) : await readFile(path)
  } catch (error) {
    throw new UsageError(`--file ${path} cannot be read: ${(error as Error).message}`)
  }
}

/** Without a byte order mark, which Windows writes and JSON does not have. */
function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new UsageError(`${name} is not UTF-8, and payloads are`)
  }
}

/** JSON.parse() quotes what it cannot read. That may be anything, if the wrong file was named: a secret, too. */
function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const [, place] = /\((line \d+ column \d+)\)$/.exec((error as Error).message) ?? []
    throw new UsageError(`${name} is not JSON${place ? `: look at ${place}` : ''}`)
  }
}
