import type { LocalDelivery } from '../world/delivery.ts'
import type { Hook } from '../world/hook.ts'
import type { World } from '../world/world.ts'
import { enter } from './ledger.ts'
import { letterFor, type Message } from './letter.ts'
import { post } from './post.ts'

/** In bytes: GitHub does not deliver payloads that are larger. */
const largest = 25 * 1024 * 1024

/** Sends messages to hooks, and records the results. */
export class Courier {
  readonly #world: World
  readonly #timeout: number
  readonly #underWay = new Set<Promise<unknown>>()
  readonly #closing = new AbortController()

  /** @param timeout Milliseconds for one delivery. */
  constructor(world: World, timeout: number) {
    this.#world = world
    this.#timeout = timeout
  }

  /** @returns The delivery once it has ended; `undefined` if its payload is too large. */
  send(hook: Hook, message: Message, redelivery = false): Promise<LocalDelivery | undefined> {
    const sending = this.#send(hook, message, redelivery).finally(() => this.#underWay.delete(sending))
    this.#underWay.add(sending)
    return sending
  }

  /** Resolves when no delivery is in progress. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  /** Aborts the deliveries in progress. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.idle()
  }

  async #send(hook: Hook, message: Message, redelivery: boolean): Promise<LocalDelivery | undefined> {
    const { clock, enterprise } = this.#world
    const { headers, body } = letterFor(hook, message, enterprise)
    if (Buffer.byteLength(body) > largest) return undefined
    const claimed = { id: this.#world.newDeliveryId(), deliveredAt: clock.now(), redelivery }
    const { url } = hook
    const insecure = hook.insecureSsl === '1'
    const [timeout, signal] = [this.#timeout, this.#closing.signal]
    const since = performance.now()
    const outcome = await post({ url, headers, body, insecure, timeout, signal })
    const duration = Math.round(performance.now() - since) / 1000
    return enter(this.#world, hook, { ...claimed, duration, outcome, message, headers })
  }
}
