import type { Context } from 'hono'
import { estimateParsedSize, heapLimit, parsedSizeLimit } from '../../inbox/parsed-size.ts'
import { isObject } from '../../runtime/json.ts'
import { ProblemError } from '../problem.ts'

/** Bytes. */
const defaultLimit = 2 ** 20

/**
 * Reads a request's body, which is a JSON object. An empty body is an object without members.
 * @param limit Bytes.
 * @throws {ProblemError}
 */
export async function readJson(context: Context, limit: number = defaultLimit): Promise<Record<string, unknown>> {
  const bytes = await readBytes(context, limit)
  if (bytes.length === 0) return {}
  if (!/^application\/json *(;|$)/i.test(context.req.header('content-type') ?? '')) {
    throw new ProblemError('unsupported_media_type', 'Bodies are JSON: say Content-Type: application/json')
  }
  assertParsedSize(bytes)
  return parse(bytes)
}

/** @throws {ProblemError} if the parsed value may not fit into memory, which would end the process. */
export function assertParsedSize(json: Uint8Array): void {
  if (estimateParsedSize(json, 'json') <= parsedSizeLimit(heapLimit())) return
  throw new ProblemError('payload_too_large', 'The body may need too much memory once it is parsed')
}

function parse(bytes: Uint8Array): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (isObject(body)) return body
  } catch {
    // The error below covers this, too.
  }
  throw new ProblemError('invalid_json', 'The body is not a JSON object')
}

/** Reads no more than the limit, whatever `Content-Length` says. */
async function readBytes(context: Context, limit: number): Promise<Uint8Array> {
  const tooLarge = () => new ProblemError('payload_too_large', `A body may have ${limit} bytes`)
  if (Number(context.req.header('content-length') ?? 0) > limit) throw tooLarge()
  const chunks: Uint8Array[] = []
  let length = 0
  const reader = context.req.raw.body?.getReader()
  for (;;) {
    const { done, value } = (await reader?.read().catch(() => {
      // Only the client can end it early. The server has not failed, so nothing is logged.
      throw new ProblemError('invalid_request', 'The connection ended before the whole body arrived')
    })) ?? { done: true, value: undefined }
    if (done) return Buffer.concat(chunks)
    length += value.length
    if (length > limit) throw tooLarge()
    chunks.push(value)
  }
}
