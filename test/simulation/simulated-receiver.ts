/** The receiver of a simulated process. */
import { Registry } from '../../src/dispatch/registry.ts'
import type { ReadBody } from '../../src/http.ts'
import type { NewDelivery, Store, StoreResult } from '../../src/inbox/inbox.ts'
import { MemoryLimit } from '../../src/receiver/memory-limit.ts'
import { DeliveryReceiver } from '../../src/receiver/receiver.ts'
import { Drain } from '../../src/runtime/drain.ts'
import { resolveOptions } from '../../src/settings.ts'
import { noOctokits } from '../inbox/fixtures.ts'
import { withMembers } from '../inbox/stores.ts'

/** Bytes for the bodies of requests. Most bodies take less than 100 bytes, so a few of them wait for each other. */
const bodyMemory = 2000

interface ReceiverEvents {
  /** The store has answered. */
  stored(guid: string, result: StoreResult): void
  /** There is a new delivery. */
  onStored(): void
}

export class SimulatedReceiver {
  readonly #memory = new MemoryLimit(bodyMemory)
  readonly #receiver: DeliveryReceiver

  constructor(store: Store, { stored, onStored }: ReceiverEvents) {
    const inbox = withMembers(store, {
      checkWritable: async () => {}, // the model lacks it
      async store(delivery) {
        // The receiver frees the body after the commit, and the model keeps it. `new Date()` is not simulated.
        const kept = { ...delivery, body: delivery.body.slice(), receivedAt: Date.now() }
        const result = await store.store(kept)
        stored(delivery.guid, result)
        return result
      },
    })
    const settings = resolveOptions({ inbox, validateSignature: false, validateIp: false, logger: false })
    this.#receiver = new DeliveryReceiver(settings, {
      ...{ registry: new Registry(), drain: new Drain(), memoryLimit: this.#memory, octokits: noOctokits },
      ...{ onStored, ranges: undefined as never, writes: undefined }, // it checks no addresses
    })
  }

  /** Bytes of bodies in memory. */
  get held(): number {
    return this.#memory.held
  }

  /**
   * Receives a delivery. Resolves after the reply.
   * @param pause Milliseconds between the two halves of its body.
   * @throws {HookError} if the delivery may not be stored.
   */
  async receive({ guid, event, body }: Pick<NewDelivery, 'guid' | 'event' | 'body'>, pause: number): Promise<void> {
    const headers = { 'x-github-event': event, 'x-github-delivery': guid, 'content-type': 'application/json' }
    const request = { method: 'POST', path: '/hooks', headers, address: undefined, native: [undefined] as const }
    await this.#receiver.receive({ ...request, body: () => ({ read: inHalves(body, pause) }) })
  }
}

function inHalves(body: Uint8Array, pause: number): ReadBody {
  return (onChunk, onEnd) => {
    const [first, second] = [body.slice(0, body.length / 2), body.slice(body.length / 2)]
    let hasEnded = false
    const read = async () => {
      await null
      for (const [chunk, wait] of [
        [first, pause],
        [second, 0],
      ] as const) {
        if (hasEnded) return
        await onChunk(chunk)
        if (wait > 0) await new Promise<void>((resolve) => setTimeout(resolve, wait))
      }
      if (!hasEnded) onEnd()
    }
    void read()
    return () => {
      hasEnded = true
    }
  }
}
