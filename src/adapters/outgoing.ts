import { type HookReply, isResponse } from '../http.ts'
import { builtinModule } from '../runtime/platform.ts'

/** Not imported: this file is in one chunk with files that also run without Node.js. */
const stream = () => builtinModule<typeof import('node:stream')>('node:stream') as typeof import('node:stream')

/** The members of `http.ServerResponse` and `http2.Http2ServerResponse` that are used. */
export interface NodeResponse {
  headersSent: boolean
  setHeader(name: string, value: string): unknown
  writeHead(status: number, headers: Record<string, string | string[]>): unknown
  end(): unknown
  end(body: string): unknown
  destroy(): unknown
  once(event: string, listener: () => void): unknown
}

/**
 * Writes a reply to a response of `node:http`, unless other software, such as a timeout middleware, has already sent
 * one.
 * @returns A promise if the reply is a `Response`. The promise never rejects.
 */
export function writeReply(response: NodeResponse, reply: HookReply): Promise<void> | undefined {
  if (response.headersSent) return undefined
  if (isResponse(reply)) return writeResponse(response, reply).catch(() => void response.destroy())
  const { status, headers, body } = reply
  try {
    if (body === null) {
      response.writeHead(status, headers)
      response.end()
    } else {
      response.writeHead(status, { ...headers, 'content-length': String(Buffer.byteLength(body)) })
      response.end(body)
    }
  } catch {
    response.destroy() // for example because a header has characters that HTTP does not allow
  }
  return undefined
}

/** @throws {Error} (rejects) for example if a hook has returned the same `Response` for an earlier delivery. */
async function writeResponse(response: NodeResponse, reply: Response): Promise<void> {
  response.writeHead(reply.status, headersOf(reply))
  const body = streamOf(reply)
  if (!body) response.end()
  // If the stream fails, `pipeline()` closes the connection. The status has been sent, so there is no other way to
  // inform the sender.
  else await stream().promises.pipeline(body as NodeJS.ReadableStream, response as unknown as NodeJS.WritableStream)
}

/** The headers of a `Response`. Cookies are a list, because they must not be joined (RFC 6265, section 3). */
export function headersOf({ headers, url }: Response): Record<string, string | string[]> {
  const cookies = headers.getSetCookie()
  const all = { ...Object.fromEntries(headers), ...(cookies.length > 0 && { 'set-cookie': cookies }) }
  // Leaves out the headers that apply to another connection (RFC 9110, 7.6.1). If the `Response` comes from `fetch()`,
  // also leaves out the headers of its encoding, because `fetch()` has decoded the body.
  const foreign = url ? [...hopByHop, 'content-encoding', 'content-length'] : hopByHop
  return Object.fromEntries(Object.entries(all).filter(([name]) => !foreign.includes(name)))
}

const hopByHop = ['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'trailer', 'te']

/**
 * The body of a `Response`, as a `Readable`. The return type does not name `Readable`, because this declaration must
 * not need the types of Node.js.
 */
export function streamOf({ body }: Response): { once(event: 'error', listener: () => void): unknown } | null {
  return body && stream().Readable.fromWeb(body as import('node:stream/web').ReadableStream)
}
