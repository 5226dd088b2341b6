import { Agent } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { type EventName, eventNames } from '../campaign/handlers.ts'
import type { Random } from '../campaign/random.ts'
import type { Sender } from '../campaign/sender.ts'

/**
 * Milliseconds: the longest pause between an answer and the next delivery of a connection, and the shortest pause
 * before an unacknowledged delivery is sent again.
 */
const [pause, again] = [200, 500]

/** A period in which no delivery can be stored. All times are those of `performance.now()`. */
export interface Outage {
  from: number
  until: number
}

/** Acts as GitHub: continuously sends deliveries to random receivers, and sends unacknowledged ones again. */
export class Traffic {
  /** Unexpected answers. */
  readonly wrong: string[] = []
  readonly #sender: Sender
  readonly #random: Random
  readonly #ports: () => readonly number[]
  readonly #outages: Outage[] = []
  /** Deliveries to send again, and the earliest time for each. */
  readonly #again: { guid: string; name: EventName; at: number }[] = []
  readonly #agent = new Agent({ keepAlive: true })
  readonly #connections: Promise<void>[]
  #ends = false
  #abandoned = false

  /** @param ports The ports of the running receivers. */
  constructor(sender: Sender, random: Random, ports: () => readonly number[], connections: number) {
    this.#sender = sender
    this.#random = random
    this.#ports = ports
    this.#connections = Array.from({ length: connections }, () => this.#connection())
  }

  /**
   * Begins an outage. It is a violation if a delivery is sent after the start of the outage and acknowledged before its
   * end. @returns a function that ends the outage.
   */
  outage(): () => void {
    const outage = { from: performance.now(), until: Number.POSITIVE_INFINITY }
    this.#outages.push(outage)
    return () => {
      outage.until = performance.now()
    }
  }

  /** Sends this delivery next, before all others. */
  send(guid: string, name: EventName): void {
    this.#again.unshift({ guid, name, at: 0 })
  }

  /** Sends no new deliveries. @returns when all sent deliveries are acknowledged. */
  async end(): Promise<void> {
    this.#ends = true
    await Promise.all(this.#connections)
    this.#agent.destroy()
  }

  /** Stops sending, even if deliveries are not acknowledged yet. */
  abandon(): void {
    this.#abandoned = true
    this.#agent.destroy()
  }

  async #connection(): Promise<void> {
    while (!this.#abandoned && (!this.#ends || this.#sender.open.size > 0)) {
      const [guid, name] = this.#next() ?? []
      if (guid !== undefined && name !== undefined) await this.#deliver(guid, name)
      await setTimeout(this.#random.whole(0, pause))
    }
  }

  #next(): [string, EventName] | undefined {
    const [first] = this.#again
    if (first && first.at <= performance.now()) {
      this.#again.shift()
      return [first.guid, first.name]
    }
    return this.#ends ? undefined : [this.#random.guid(), this.#random.pick(eventNames)]
  }

  async #deliver(guid: string, name: EventName): Promise<void> {
    const sentAt = performance.now()
    const port = this.#random.pick(this.#ports())
    const answer = port === undefined ? undefined : await this.#sender.send(this.#agent, port, guid, name)
    const acked = answer !== undefined && answer.status < 300
    if (!acked) this.#again.push({ guid, name, at: performance.now() + again })
    if (answer && !acked && answer.status !== 503)
      this.wrong.push(`${guid} was answered ${answer.status} ${answer.text}`)
    const away = this.#outages.some(({ from, until }) => from < sentAt && performance.now() < until)
    if (acked && away) this.wrong.push(`${guid} was acknowledged while the database was unavailable`)
  }
}
