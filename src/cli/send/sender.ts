import * as http from 'node:http'
import * as https from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'

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

/** In milliseconds: a server that has just been started, or starts anew, may listen only now. */
const startingTime = 3000
const betweenTries = 100

/** The sending end: connections to one address that are kept open between requests. */
export class Sender {
  readonly #url: URL
  readonly #agent: http.Agent
  readonly #request: typeof http.request
  readonly #patience: number
  /** Until when a refusal is no answer yet; nobody waits once there has been one. */
  #startedBy = performance.now() + startingTime

  constructor(url: URL, connections: number, patience: number = githubsPatience) {
    const { Agent, request } = url.protocol === 'https:' ? https : http
    this.#url = url
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, timeout: mostIdle })
    this.#request = request
    this.#patience = patience
  }

  /** Resolves with the answer, or with what went wrong; it never rejects. Where nothing listens yet it tries again for 3 s. */
  async send(outgoing: Outgoing): Promise<Outcome> {
    let outcome = await this.#post(outgoing)
    while ('failure' in outcome && outcome.refused && performance.now() < this.#startedBy) {
      await pause(betweenTries)
      outcome = await this.#post(outgoing)
    }
    this.#startedBy = 0
    return outcome
  }

  #post({ headers, body }: Outgoing): Promise<Outcome> {
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
    this.#startedBy = 0
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
