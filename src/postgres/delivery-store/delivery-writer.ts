import { randomBytes, randomInt } from 'node:crypto'
import type { DeliveryStore, NewDelivery, StoreResult } from '../../inbox/inbox.ts'
import { Batcher } from '../../runtime/batcher.ts'
import { diagnostics } from '../../telemetry/diagnostics.ts'
import type { PostgresClient } from '../client.ts'
import { isItemFault } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'
import { setValue } from '../metadata/shared-state.ts'
import { type Ack, type EncodedDelivery, encodeDelivery, storeKnown, storeNew, weightOf } from './store.ts'

/**
 * Maximum milliseconds from an acknowledgement until it is recorded. If more deliveries are stored in this time, the
 * statement that stores them records the acknowledgement.
 */
const ackDelay = 1000

/** Stores deliveries. Those that arrive at the same time share a transaction. */
export class DeliveryWriter implements DeliveryStore {
  readonly #client: PostgresClient
  readonly #batcher: Batcher<EncodedDelivery, StoreResult>
  /** Acknowledgements that are not recorded yet. */
  #acks: Ack[] = []
  #ackTimer: NodeJS.Timeout | undefined

  constructor(client: PostgresClient) {
    this.#client = client
    this.#batcher = new Batcher({
      commit: (deliveries) => this.#store(deliveries),
      weigh: weightOf,
      isItemFault: (error) => error instanceof TypeError || error instanceof RangeError || isItemFault(error),
    })
  }

  store(delivery: NewDelivery): Promise<StoreResult> {
    return this.#client.call(async () => {
      // So that old deliveries are pruned even if this process runs no handlers.
      if (this.#client.settings.maintenance) this.#client.maintenance.start()
      return this.#batcher.add(await encodeDelivery(delivery))
    })
  }

  checkWritable(): Promise<void> {
    return this.#client.call(() => this.#client.receiverDatabase.transaction(checkWritable))
  }

  /** Records the acknowledgements that are not recorded yet. */
  async flush(): Promise<void> {
    clearTimeout(this.#ackTimer)
    this.#ackTimer = undefined
    const acks = this.#acks.splice(0)
    if (acks.length === 0) return
    try {
      await this.#client.receiverDatabase.statement((sql) => storeNew(sql, [], acks))
    } catch (error) {
      this.#acks.push(...acks)
      throw error
    }
  }

  #acknowledge(batch: number): void {
    this.#acks.push({ batch, at: Date.now() })
    this.#ackTimer ??= setTimeout(() => void this.flush().catch(() => undefined), ackDelay).unref()
  }

  /**
   * Stores the new deliveries with one statement, and then the others in a transaction. The others are rare: copies of
   * stored or pruned deliveries, and conflicts with such deliveries.
   */
  async #store(deliveries: readonly EncodedDelivery[]): Promise<StoreResult[]> {
    const [startedAt, acks] = [performance.now(), this.#acks.splice(0)]
    const database = this.#client.receiverDatabase
    try {
      const { ids, batch } = await database.statement((sql) => storeNew(sql, deliveries, acks))
      if (batch > 0) this.#acknowledge(batch)
      const rest = deliveries.filter((_, index) => !ids.has(index))
      const known = rest.length > 0 ? await database.transaction((transaction) => storeKnown(transaction, rest)) : []
      this.#client.notifier.notify('unmatched')
      const { committed } = diagnostics
      if (committed?.hasSubscribers) {
        committed.publish({ deliveries: deliveries.length, duration: performance.now() - startedAt })
      }
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

/**
 * Tests whether deliveries can be stored: writes one, rolls it back, and commits a small row. The id of the delivery
 * does not come from the sequence, because a check every few seconds would leave large gaps between the ids of
 * deliveries.
 * @throws the reason why a delivery could not be stored.
 */
async function checkWritable(transaction: Transaction): Promise<void> {
  const [id, identity] = [-randomInt(1, 2 ** 47), randomBytes(32)]
  await transaction.run('savepoint probe')
  await transaction.run(insertProbe, id, identity, Date.now(), randomBytes(2048))
  await transaction.run('rollback to savepoint probe')
  // The row is written together with the commit, so that other processes wait for its lock only while the commit runs.
  await Promise.all([setValue(transaction, 'writable', new Date().toISOString()), transaction.commit()])
}

const insertProbe = `
  with inserted as (
    insert into deliveries (
      id, identity, variant, sha256, source, hook_id, guid, event, form, received_at, stored_at, batch, headers_size, size,
      pulled, replay_key)
    values ($1, $2, 0, $2, '', '', '', '', 'json', $3, $3, 0, 0, 0, false, 0)
    returning id
  ), content as (
    insert into contents (delivery_id, bytes) select id, $4 from inserted
  )
  insert into changes (deliveries) select array[id] from inserted`
