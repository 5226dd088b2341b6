import type { Context } from 'hono'
import { estimateParsedSize, heapLimit, parsedSizeLimit } from '../../inbox/parsed-size.ts'
import { isObject } from '../../runtime/json.ts'
import { Unanswerable } from '../problem.ts'

/** Bytes. */
const usual: number = 2 ** 20

/**
 * The members of a request's body, which may be left out where nothing in it is required.
 * @param known Its members. Any other is a mistake that could do harm: who mistypes `dryRun` does not want it done.
 * @param longest Bytes.
 * @throws {Unanswerable}
 */
export async function readJson(
  context: Context,
  known: readonly string[],
  longest: number = usual,
): Promise<Record<string, unknown>> {
  const bytes = await readBytes(context, longest)
  if (bytes.length === 0) return {}
  if (!/^application\/json *(;|$)/i.test(context.req.header('content-type') ?? '')) {
    throw new Unanswerable('unsupported_media_type', 'Bodies are JSON: say Content-Type: application/json')
  }
  assertFits(bytes)
  const body = parse(bytes)
  const unknown = Object.keys(body).filter((name) => !known.includes(name))
  const expected = known.length > 0 ? `one of ${known.join(', ')}` : 'nothing'
  if (unknown.length > 0) throw Unanswerable.because(unknown.map((name) => ({ name, expected })))
  return body
}

/** @throws {Unanswerable} if it may not fit into memory once it is parsed: that would end the process. */
export function assertFits(json: Uint8Array): void {
  if (estimateParsedSize(json, 'json') <= parsedSizeLimit(heapLimit())) return
  throw new Unanswerable('payload_too_large', 'The body may need too much memory once it is parsed')
}

function parse(bytes: Uint8Array): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (isObject(body)) return body
  } catch {
    // said below
  }
  throw new Unanswerable('invalid_json', 'The body is not a JSON object')
}

/** No further than the limit, whatever `Content-Length` says. */
async function readBytes(context: Context, longest: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = Number(context.req.header('content-length') ?? 0)
  const tooLarge = () => new Unanswerable('payload_too_large', `A body may have ${longest} bytes`)
  if (length > longest) throw tooLarge()
  const reader = context.req.raw.body?.getReader()
  length = 0
  for (;;) {
    const { done, value } = (await reader?.read().catch(() => {
      // Only the client can end it early, so this is no failure of the server, and nothing to log.
      throw new Unanswerable('invalid_request', 'The connection ended before the whole body arrived')
    })) ?? { done: true, value: undefined }
    if (done) return Buffer.concat(chunks)
    length += value.length
    if (length > longest) throw tooLarge()
    chunks.push(value)
  }
}
