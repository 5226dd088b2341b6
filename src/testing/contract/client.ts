import { once } from 'node:events'
import { type Agent, request } from 'node:http'
import { connect } from 'node:net'
import type { AnyEventName } from '../../events.ts'
import { type SignedRequestOptions, signedRequest } from '../../samples/signed-request.ts'
import { contractSecret } from './mounts.ts'

/** An application under test: it has all of `adapterContract.mounts()` and listens at `origin`. */
export interface ContractHost {
  /** `http://127.0.0.1:PORT` */
  origin: string
}

export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Uint8Array
  text: string
}

/** Milliseconds to wait for an answer. */
const answerTimeout = 30_000

export interface Sending {
  method?: string
  path: string
  headers?: Record<string, string>
  body?: string | Uint8Array | undefined
  /** Sends without Content-Length. */
  chunked?: boolean
  /** Keeps connections open for later requests. Default: a connection for this request alone. */
  agent?: Agent | undefined
}

/** Sends a request and waits for the whole answer. */
export async function send(
  { origin }: ContractHost,
  { method = 'POST', path, headers, body, chunked, agent }: Sending,
): Promise<Answer> {
  const length = chunked || body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const outgoing = request(origin + path, {
    method,
    headers: { ...headers, ...length },
    signal: AbortSignal.timeout(answerTimeout),
    agent: agent ?? false,
  })
  outgoing.end(body)
  const [incoming] = await once(outgoing, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  const whole = Buffer.concat(chunks)
  return { status: incoming.statusCode, headers: incoming.headers, body: whole, text: whole.toString() }
}

/** Sends a delivery to the mount `id`. The default of the option `secret` is the contract's secret. */
export function deliver(
  host: ContractHost,
  id: string,
  name: AnyEventName,
  options: SignedRequestOptions & Pick<Sending, 'chunked' | 'agent'> & { body?: string | Uint8Array } = {},
): Promise<Answer> {
  const { chunked, agent, body, ...rest } = options
  const delivery = signedRequest(name, { secret: contractSecret, ...rest })
  const path = `/contract/${id}`
  return send(host, {
    path,
    headers: delivery.headers,
    body: body ?? delivery.body,
    agent,
    ...(chunked && { chunked }),
  })
}

/**
 * Writes text to a new connection, and keeps the connection open until the status line arrives.
 * @param text One character for each byte.
 * @param untilClosed Whether to read until the server closes the connection.
 * @returns The status line of the answer, or an empty text if the server closes the connection without an answer. With
 *   `untilClosed`, all that the server has sent.
 */
export async function sendRaw({ origin }: ContractHost, text: string, { untilClosed = false } = {}): Promise<string> {
  const { hostname, port } = new URL(origin)
  const socket = connect({ host: hostname, port: Number(port) })
  socket.setTimeout(answerTimeout, () => socket.destroy(new Error('No answer')))
  socket.write(text, 'latin1')
  let answer = ''
  try {
    for await (const chunk of socket) {
      answer += chunk
      if (!untilClosed && answer.includes('\r\n')) break
    }
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ECONNRESET') throw error
  } finally {
    socket.destroy()
  }
  return untilClosed ? answer : answer.slice(0, answer.indexOf('\r\n'))
}

/** The head of a request, for `sendRaw`. */
export function head(path: string, headers: Record<string, string>): string {
  const lines = Object.entries({ host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}
