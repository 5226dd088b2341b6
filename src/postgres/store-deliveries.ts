import type { NewDelivery, StoreResult } from '../inbox/inbox.ts'
import { diagnostics } from '../telemetry/diagnostics.ts'
import { Batcher } from './batcher.ts'
import { checkWritable } from './check-writable.ts'
import type { Session } from './connection.ts'
import { asked, type Database } from './database.ts'
import { type EncodedDelivery, encodeDelivery, storeKnown, storeNew } from './store-batch.ts'

/** When the senders of what was committed together were told. */
interface Ack {
  batch: number
  at: number
}

/** Stores deliveries, those together that come at the same time. */
export class DeliveryWriter {
  readonly #database: Database
  readonly #stored: () => void
  readonly #group: Batcher<EncodedDelivery, StoreResult>
  /** Noted by the next transaction. */
  #acks: Ack[] = []

  /**
   * @param database Connections that nothing else may use up.
   * @param stored Told when there is something to handle.
   */
  constructor(database: Database, stored: () => void) {
    this.#database = database
    this.#stored = stored
    this.#group = new Batcher(
      (deliveries) => this.#store(deliveries),
      ({ bytes }) => bytes.length,
    )
  }

  async keep(delivery: NewDelivery): Promise<StoreResult> {
    return this.#group.add(await encodeDelivery(delivery))
  }

  /** On the connections that store deliveries. @throws whatever would keep a delivery from being stored. */
  checkWritable(): Promise<void> {
    return this.#database.transact((session) => checkWritable(session))
  }

  /** Notes when the last ones were answered. */
  async close(): Promise<void> {
    await this.#database.transaction((session) => recordAcks(session, this.#acks.splice(0)))
  }

  /** What is new in one transaction; what turns out to be known in another, which is rare. */
  async #store(deliveries: readonly EncodedDelivery[]): Promise<StoreResult[]> {
    const [began, acks] = [performance.now(), this.#acks.splice(0)]
    try {
      const { ids, batch } = await this.#database.transact((session) => {
        const all = Promise.all([storeNew(session, deliveries), recordAcks(session, acks)])
        return asked(all.then(([inserted]) => inserted))
      })
      if (batch > 0) this.#acks.push({ batch, at: Date.now() })
      const rest = deliveries.filter((_, index) => !ids.has(index))
      const known = rest.length > 0 ? await this.#recognise(rest) : []
      this.#stored()
      publishCommitted(deliveries.length, performance.now() - began)
      return deliveries.map((_, index) => {
        const id = ids.get(index)
        return id === undefined ? (known.shift() as StoreResult) : { id, outcome: 'stored', conflict: false }
      })
    } catch (error) {
      this.#acks.push(...acks)
      throw error
    }
  }

  #recognise(deliveries: readonly EncodedDelivery[]): Promise<StoreResult[]> {
    return this.#database.transaction((session) => storeKnown(session, deliveries))
  }
}

function publishCommitted(deliveries: number, duration: number): void {
  const { committed } = diagnostics
  if (committed?.hasSubscribers) committed.publish({ deliveries, duration })
}

async function recordAcks(session: Session, acks: readonly Ack[]): Promise<void> {
  if (acks.length === 0) return
  const columns = [acks.map(({ batch }) => batch), acks.map(({ at }) => at)]
  await session.run(insertAcks, ...columns)
}

const insertAcks = `
  insert into acks (batch, at)
  select batch, at from unnest($1::bigint[], $2::bigint[]) as told (batch, at)
  on conflict do nothing`
