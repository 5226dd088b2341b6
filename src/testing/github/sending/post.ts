import { once } from 'node:events'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Outcome } from '../world/delivery.ts'
import { answered, noAnswerOf, type StatusTexts, timedOut, unanswered } from './outcome.ts'

export interface PostOptions {
  url: string
  headers: Record<string, string>
  body: string
  /** Whether to accept any certificate. */
  insecure: boolean
  /** Milliseconds for the whole request and answer. */
  timeout: number
  texts: StatusTexts
  signal: AbortSignal
}

/** The maximum number of bytes of an answer that are read and kept. */
const maxAnswerBytes = 64 * 1024

/** Sends a delivery. Never rejects: without an answer, it resolves with the failure. */
export async function post({ url, headers, body, insecure, timeout, texts, signal }: PostOptions): Promise<Outcome> {
  const late = AbortSignal.timeout(timeout)
  try {
    const request = url.startsWith('https:') ? requestHttps : requestHttp
    const outgoing = request(url, {
      ...{ method: 'POST', agent: false, rejectUnauthorized: !insecure, signal: AbortSignal.any([late, signal]) },
      headers: { ...headers, 'Content-Length': String(Buffer.byteLength(body)) },
    })
    outgoing.end(body)
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
    return answered(incoming.statusCode ?? 0, { headers: headersOf(incoming), payload: await textOf(incoming) })
  } catch (error) {
    return unanswered(texts, url, late.aborted ? timedOut : noAnswerOf(error))
  }
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of incoming) {
    chunks.push(chunk as Buffer)
    length += (chunk as Buffer).length
    if (length >= maxAnswerBytes) break
  }
  return Buffer.concat(chunks).subarray(0, maxAnswerBytes).toString()
}

/** The headers of the answer. Their names have upper and lower case as the receiver sent them. */
function headersOf({ rawHeaders }: IncomingMessage): Record<string, string> {
  const pairs = Array.from({ length: rawHeaders.length / 2 }, (_, index) => rawHeaders.slice(2 * index, 2 * index + 2))
  return Object.fromEntries(pairs)
}
