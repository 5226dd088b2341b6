import * as http from 'node:http'
import * as https from 'node:https'

/** A request to POST; the headers say how long the body is. */
export interface Outgoing {
  headers: Record<string, string>
  body: Uint8Array
}

/** An answer that arrived in full. */
export interface Answer {
  status: number
  /** The first 64 KiB of it. */
  text: string
  ms: number
}

/** What became of a request; `failure` says in a clause why there is no answer. */
export type Outcome = Answer | { failure: string; refused: boolean }

/** In milliseconds: as long as GitHub waits for the whole answer. */
const githubsPatience = 10_000

const mostText = 64 * 1024

/** In milliseconds. Idle connections are closed before the server does so, just when the next request goes out. */
const mostIdle = 1000

/** The sending end: connections to one address that are kept open between requests. */
export class Sender {
  readonly #url: URL
  readonly #agent: http.Agent
  readonly #request: typeof http.request
  readonly #patience: number

  constructor(url: URL, connections: number, patience: number = githubsPatience) {
    const { Agent, request } = url.protocol === 'https:' ? https : http
    this.#url = url
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, timeout: mostIdle })
    this.#request = request
    this.#patience = patience
  }

  /** Resolves with the answer, or with what went wrong; it never rejects. */
  send({ headers, body }: Outgoing): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    const began = performance.now()
    const request = this.#request(this.#url, { agent: this.#agent, method: 'POST', headers })
    const late = new Error(`no answer within ${this.#patience / 1000} s, which is when GitHub gives up`)
    const timer = setTimeout(() => request.destroy(late), this.#patience)
    const fail = (error: Error) => resolve(failureOf(error))
    request.on('error', fail)
    request.on('close', () => clearTimeout(timer))
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      let room = mostText
      response.on('data', (chunk: Buffer) => {
        if (room > 0) chunks.push(chunk.subarray(0, room))
        room -= chunk.length
      })
      response.on('error', fail)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode ?? 0, text, ms: performance.now() - began })
      })
    })
    request.end(body)
    return promise
  }

  /** Cuts off what is under way. */
  close(): void {
    this.#agent.destroy()
  }
}

function failureOf(error: Error & { code?: string }): Outcome {
  const { code, message } = error
  const known: Record<string, string> = {
    ECONNREFUSED: 'nothing listens there',
    ECONNRESET: 'the connection was closed before there was an answer',
    EPIPE: 'the connection was closed before there was an answer',
    ENOTFOUND: 'there is no host of that name',
  }
  return { failure: known[code ?? ''] ?? (message || code || 'unknown'), refused: code === 'ECONNREFUSED' }
}
