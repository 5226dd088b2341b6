import { Agent, request } from 'node:http'
import { sample, signedRequest } from '../../src/testing/index.ts'
import { type EventName, eventNames } from './handlers.ts'
import type { Random } from './random.ts'

/** The secret that the sender and the programs share. */
export const secret = 'a secret'

const names: readonly EventName[] = [...eventNames, 'fork']
const samples = new Map(names.map((name) => [name, sample(name)]))

/** Milliseconds that GitHub waits for an answer before it closes the connection. */
const answerTimeout = 10_000

export interface Answer {
  status: number
  text: string
}

/** Acts as GitHub: sends signed deliveries over many connections. A delivery that is sent again keeps its GUID. */
export class Sender {
  /** Deliveries that got a complete 2xx answer. */
  readonly acked = new Map<string, EventName>()
  /** Deliveries that were sent, but are not acknowledged yet. */
  readonly open = new Map<string, EventName>()
  readonly figures = { sent: 0, duplicates: 0, rejected: 0, cut: 0 }
  /** When each delivery was first sent, and when it was first acknowledged, by `performance.now()`. */
  readonly #sentAt = new Map<string, number>()
  readonly #ackedAt = new Map<string, number>()
  /** Used by the sender alone, because the number of sent deliveries must not change other random choices. */
  readonly #random: Random
  readonly #connections: number

  constructor(random: Random, connections = 24) {
    this.#random = random
    this.#connections = connections
  }

  /** Sends each unacknowledged delivery again, once. */
  async resend(port: number): Promise<void> {
    const left = this.open.entries()
    await this.#connect(port, () => left.next().value)
  }

  /** Sends new deliveries until `stopped` returns true. A connection also stops after a request without an answer. */
  async load(port: number, stopped: () => boolean = () => false): Promise<void> {
    await this.#connect(port, () => (stopped() ? undefined : [this.#random.guid(), this.#random.pick(eventNames)]))
  }

  async #connect(port: number, next: () => [string, EventName] | undefined): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: this.#connections })
    const connection = async () => {
      for (let one = next(); one; one = next()) if (!(await this.send(agent, port, ...one))) return
    }
    await Promise.all(Array.from({ length: this.#connections }, connection))
    agent.destroy()
  }

  /** Sends one delivery. @returns the answer, if it arrived completely. */
  async send(agent: Agent, port: number, guid: string, name: EventName): Promise<Answer | undefined> {
    this.open.set(guid, name)
    if (!this.#sentAt.has(guid)) this.#sentAt.set(guid, performance.now())
    this.figures.sent++
    const answer = await post(agent, port, guid, name)
    if (answer === undefined) this.figures.cut++
    else if (answer.status >= 200 && answer.status < 300) {
      this.open.delete(guid)
      this.acked.set(guid, name)
      if (!this.#ackedAt.has(guid)) this.#ackedAt.set(guid, performance.now())
      if (answer.text === 'Duplicate') this.figures.duplicates++
    } else this.figures.rejected++
    return answer
  }

  /** Whether the first of two deliveries was acknowledged before the second was sent. */
  ackedBefore(first: string, second: string): boolean {
    return (this.#ackedAt.get(first) ?? Number.POSITIVE_INFINITY) < (this.#sentAt.get(second) ?? 0)
  }
}

function post(agent: Agent, port: number, guid: string, name: EventName): Promise<Answer | undefined> {
  return postPayload(agent, port, guid, name, { ...samples.get(name), mark: guid }) // no two deliveries have the same bytes
}

/** @returns the answer, if it arrived completely. */
export function postPayload(
  agent: Agent,
  port: number,
  guid: string,
  name: EventName,
  payload: object | string,
): Promise<Answer | undefined> {
  const { method, headers, body } = signedRequest(name, { secret, guid, payload, algorithms: ['sha256'] })
  return new Promise((resolve) => {
    const length = { 'content-length': Buffer.byteLength(body) }
    const sent = request({ agent, host: '127.0.0.1', port, path: '/hooks', method, headers: { ...headers, ...length } })
    sent.setTimeout(answerTimeout, () => sent.destroy())
    sent.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk))
      response.on('end', () => resolve(response.complete ? { status: response.statusCode ?? 0, text } : undefined))
      response.on('error', () => resolve(undefined))
      response.on('close', () => resolve(undefined))
    })
    sent.on('error', () => resolve(undefined))
    sent.end(body)
  })
}
