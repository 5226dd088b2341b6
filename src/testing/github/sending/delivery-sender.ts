import type { LocalDelivery } from '../world/delivery.ts'
import type { Hook } from '../world/hook.ts'
import type { World } from '../world/world.ts'
import { addAttempt } from './add-attempt.ts'
import { deliveryRequest, type Message } from './delivery-request.ts'
import { post } from './post.ts'

export interface SendOptions {
  redelivery?: boolean
  throttledAt?: number | undefined
}

/** In bytes: GitHub does not deliver payloads that are larger. */
const maxPayloadBytes = 25 * 1024 * 1024

/** Sends messages to webhooks, and records the results. */
export class DeliverySender {
  readonly #world: World
  readonly #timeout: number
  readonly #pending = new Set<Promise<unknown>>()
  readonly #closing = new AbortController()

  /** @param timeout Milliseconds for one delivery. */
  constructor(world: World, timeout: number) {
    this.#world = world
    this.#timeout = timeout
  }

  /** @returns The delivery once it has ended; `undefined` if its payload is too large. */
  send(hook: Hook, message: Message, options: SendOptions = {}): Promise<LocalDelivery | undefined> {
    const sending = this.#send(hook, message, options).finally(() => this.#pending.delete(sending))
    this.#pending.add(sending)
    return sending
  }

  get isSending(): boolean {
    return this.#pending.size > 0
  }

  /** Resolves when no delivery is in progress. */
  async idle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending)
  }

  /** Aborts the deliveries in progress. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.idle()
  }

  async #send(hook: Hook, message: Message, options: SendOptions): Promise<LocalDelivery | undefined> {
    const { redelivery = false, throttledAt } = options
    const { clock, enterprise, statusTexts: texts } = this.#world
    const { headers, body } = deliveryRequest(hook, message, enterprise)
    if (Buffer.byteLength(body) > maxPayloadBytes) return undefined
    const started = { id: this.#world.newDeliveryId(), deliveredAt: clock.now(), throttledAt, redelivery }
    const { url } = hook
    const insecure = hook.insecureSsl === '1'
    const [timeout, signal] = [this.#timeout, this.#closing.signal]
    const since = performance.now()
    const outcome = await post({ url, headers, body, insecure, timeout, texts, signal })
    const duration = Math.round(performance.now() - since)
    const ended = { endedAt: clock.now(), duration, outcome }
    return addAttempt(this.#world, hook, { ...started, ...ended, message, headers })
  }
}
