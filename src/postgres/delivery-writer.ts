import type { DeliveryStore, NewDelivery, StoreResult } from '../inbox/delivery-store.ts'
import { Batcher } from '../runtime/batcher.ts'
import { diagnostics } from '../telemetry/diagnostics.ts'
import { checkWritable } from './check-writable.ts'
import type { PostgresClient } from './client.ts'
import { isItemFault } from './connection.ts'
import { type EncodedDelivery, encodeDelivery, storeKnown, storeNew } from './store.ts'
import type { Transaction } from './transaction.ts'

/** When the deliveries of a batch were acknowledged. */
interface Ack {
  batch: number
  at: number
}

/** Stores deliveries. Those that arrive at the same time share a transaction. */
export class DeliveryWriter implements DeliveryStore {
  readonly #client: PostgresClient
  readonly #batcher: Batcher<EncodedDelivery, StoreResult>
  /** Recorded by the next transaction. */
  #acks: Ack[] = []

  constructor(client: PostgresClient) {
    this.#client = client
    this.#batcher = new Batcher({
      commit: (deliveries) => this.#store(deliveries),
      weigh: ({ bytes }) => bytes.length,
      isItemFault,
    })
  }

  store(delivery: NewDelivery): Promise<StoreResult> {
    return this.#client.call(async () => {
      this.#client.maintenance.start() // prunes, even if this process never works
      return this.#batcher.add(await encodeDelivery(delivery))
    })
  }

  checkWritable(): Promise<void> {
    return this.#client.call(() => this.#client.receiverDatabase.transaction(checkWritable))
  }

  /** Records the last acknowledgements. */
  async flush(): Promise<void> {
    const acks = this.#acks.splice(0)
    if (acks.length > 0) await this.#client.receiverDatabase.transaction((transaction) => insertAcks(transaction, acks))
  }

  /** Stores new deliveries in one transaction and, which is rare, copies of known ones in a second. */
  async #store(deliveries: readonly EncodedDelivery[]): Promise<StoreResult[]> {
    const [startedAt, acks] = [performance.now(), this.#acks.splice(0)]
    const database = this.#client.receiverDatabase
    try {
      const { ids, batch } = await database.transaction(async (transaction) => {
        const [inserted] = await Promise.all([
          storeNew(transaction, deliveries),
          insertAcks(transaction, acks),
          transaction.commit(),
        ])
        return inserted
      })
      if (batch > 0) this.#acks.push({ batch, at: Date.now() })
      const rest = deliveries.filter((_, index) => !ids.has(index))
      const known = rest.length > 0 ? await database.transaction((transaction) => storeKnown(transaction, rest)) : []
      this.#client.notify('unmatched')
      publishCommitted(deliveries.length, performance.now() - startedAt)
      return deliveries.map((_, index) => {
        const id = ids.get(index)
        return id === undefined ? (known.shift() as StoreResult) : { id, outcome: 'stored', conflict: false }
      })
    } catch (error) {
      this.#acks.push(...acks)
      throw error
    }
  }
}

function publishCommitted(deliveries: number, duration: number): void {
  const { committed } = diagnostics
  if (committed?.hasSubscribers) committed.publish({ deliveries, duration })
}

async function insertAcks(transaction: Transaction, acks: readonly Ack[]): Promise<void> {
  if (acks.length === 0) return
  await transaction.run(
    upsertAcks,
    acks.map(({ batch }) => batch),
    acks.map(({ at }) => at),
  )
}

const upsertAcks = `
  insert into acks (batch, at)
  select batch, at from unnest($1::bigint[], $2::bigint[]) as input (batch, at)
  on conflict do nothing`
