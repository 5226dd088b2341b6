import * as http from 'node:http'
import * as https from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import { sleep } from '../../runtime/timer.ts'
import type { Outcome, Summary } from './summary.ts'

/** A request to POST. */
export interface Outgoing {
  headers: Record<string, string>
  body: Uint8Array
}

/** The timeout of GitHub for a complete answer. */
const githubTimeoutMs = 10_000
const maxTextBytes = 64 * 1024
/** Shorter than the keep-alive timeout of servers, so that no server closes a connection while we reuse it. */
const maxIdleMs = 1000
/**
 * Milliseconds for which refused connections are retried, from the start of this process: a server that is started
 * together with it may not listen yet.
 */
const startupMs = 4000
const startupRetryMs = 100

/**
 * The longest delay that the command makes up for, in milliseconds. If a request is late, the next requests follow
 * without pauses until they are on schedule again. Without this limit, a long burst would follow a slow answer.
 */
const maxLagMs = 100

/**
 * When the next request is due. This counts from `due`, the time at which the previous request was due, even if that
 * request started late. So late timers do not change the rate.
 */
export const nextDue = (due: number, rate: number, now: number): number => Math.max(due + 1000 / rate, now - maxLagMs)

/** Sends requests to one URL, over connections that it keeps open. */
export class Sender {
  readonly #url: URL
  readonly #agent: http.Agent
  readonly #request: typeof http.request
  readonly #timeoutMs: number
  /** The time until which refused connections are retried; 0 after the first outcome. */
  #retryUntil: number

  /** @param retryUntil In milliseconds since the start of this process. */
  constructor(
    url: URL,
    connections: number,
    { timeoutMs = githubTimeoutMs, retryUntil = startupMs }: { timeoutMs?: number; retryUntil?: number } = {},
  ) {
    const { Agent, request } = url.protocol === 'https:' ? https : http
    this.#url = url
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, timeout: maxIdleMs })
    this.#request = request
    this.#timeoutMs = timeoutMs
    this.#retryUntil = retryUntil
  }

  /** Never rejects: it resolves with the answer or the failure. */
  async send(outgoing: Outgoing): Promise<Outcome> {
    let outcome = await this.#post(outgoing)
    while ('failure' in outcome && outcome.refused && performance.now() < this.#retryUntil) {
      await delay(startupRetryMs)
      outcome = await this.#post(outgoing)
    }
    this.#retryUntil = 0
    return outcome
  }

  #post({ headers, body }: Outgoing): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    const startedAt = performance.now()
    const request = this.#request(this.#url, { agent: this.#agent, method: 'POST', headers })
    const timeout = new Error(`no answer within ${this.#timeoutMs / 1000} s, the timeout of GitHub`)
    const timer = setTimeout(() => request.destroy(timeout), this.#timeoutMs)
    const fail = (error: Error) => resolve(failureOf(error))
    request.on('error', fail)
    request.on('close', () => clearTimeout(timer))
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      let left = maxTextBytes
      response.on('data', (chunk: Buffer) => {
        if (left > 0) chunks.push(chunk.subarray(0, left))
        left -= chunk.length
      })
      response.on('error', fail)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode ?? 0, text, ms: performance.now() - startedAt })
      })
    })
    request.end(body)
    return promise
  }

  /** Aborts running requests. Refused connections are no longer retried. */
  close(): void {
    this.#retryUntil = 0
    this.#agent.destroy()
  }
}

function failureOf(error: Error & { code?: string }): Outcome {
  const { code, message } = error
  const known: Record<string, string> = {
    ECONNREFUSED: 'the connection was refused',
    ECONNRESET: 'the server closed the connection before its answer was complete',
    EPIPE: 'the server closed the connection before its answer was complete',
    EPROTO: 'the TLS handshake failed: if the server has no certificate, write http: in --to',
    ENOTFOUND: 'the host name does not exist',
  }
  return { failure: known[code ?? ''] ?? (message || code || 'unknown'), refused: code === 'ECONNREFUSED' }
}

/** How to send requests. */
interface Load {
  sender: Sender
  /** Concurrent requests. */
  concurrency: number
  /** Requests to start per second; `undefined` for no limit. */
  rate: number | undefined
  summary: Summary
  stop: AbortSignal
}

/** Sends all requests. Ends early if `stop` aborts, or if a connection is refused before the first answer. */
export async function sendAll(
  requests: Iterable<Outgoing>,
  { sender, concurrency, rate, summary, stop }: Load,
): Promise<void> {
  const left = requests[Symbol.iterator]()
  const hopeless = new AbortController()
  const over = AbortSignal.any([stop, hopeless.signal])
  let due = performance.now()
  const sendInTurn = async () => {
    while (!over.aborted) {
      const { done, value: request } = left.next()
      if (done) return
      if (rate !== undefined) {
        const now = performance.now()
        const wait = Math.ceil(due - now)
        due = nextDue(due, rate, now)
        if (wait > 0) await sleep(wait, over, { keepAlive: true })
        if (over.aborted) return
      }
      summary.started(performance.now())
      const outcome = await sender.send(request)
      if (stop.aborted && 'failure' in outcome) return // we aborted it, so it is no failure of the server
      summary.ended(performance.now(), outcome)
      if (summary.answered === 0 && 'failure' in outcome && outcome.refused) hopeless.abort()
    }
  }
  await Promise.all(Array.from({ length: concurrency }, sendInTurn))
}
