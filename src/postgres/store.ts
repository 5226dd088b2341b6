import { hash } from 'node:crypto'
import { hashKey, identityOf } from '../inbox/identity.ts'
import type { NewDelivery, StoreResult } from '../inbox/inbox.ts'
import { isRearmed } from '../inbox/states.ts'
import { bigintArray, booleanArray, bytesArray, textArray } from './arrays.ts'
import type { Sql } from './connection.ts'
import { compressLarge, type NewContent, packAll } from './contents.ts'
import type { Transaction } from './database.ts'
import { rearmDeliveries } from './match.ts'

/** A delivery, encoded for the database, with its identity. */
export interface EncodedDelivery extends NewContent {
  row: Omit<NewDelivery, 'headers' | 'body'>
  identity: Buffer
  sha256: Buffer
  recovered: boolean
}

/** Returns a promise only for large deliveries: for others, waiting costs more than compressing. */
export function encodeDelivery(delivery: NewDelivery): EncodedDelivery | Promise<EncodedDelivery> {
  const { headers, body, ...row } = delivery
  const encoded: EncodedDelivery = {
    row,
    identity: Buffer.from(identityOf(delivery)),
    sha256: hash('sha256', body, 'buffer'),
    recovered: delivery.recovered ?? false,
    headers: Buffer.from(JSON.stringify(headers)),
    body,
  }
  const compressing = compressLarge(encoded.headers, body)
  return compressing ? compressing.then((compressed) => ({ ...encoded, compressed })) : encoded
}

/** Bytes that a delivery holds until it is stored. */
export const weightOf = ({ headers, body, compressed }: EncodedDelivery): number => {
  return compressed ? compressed.length : headers.length + body.length
}

/** When the senders of a batch were answered. */
export interface Ack {
  batch: number
  at: number
}

/**
 * Stores new deliveries, and acknowledgements of earlier ones, with one statement.
 * @returns the ids by index, without deliveries that are stored already or were pruned.
 */
export function storeNew(
  run: Pick<Sql, 'all'>,
  deliveries: readonly EncodedDelivery[],
  acks: readonly Ack[],
): Promise<Inserted> {
  return insert(run, deliveries, { variant: 0, isKnown: false, acks })
}

/** Stores deliveries that `storeNew` has not stored: copies of known or pruned ones, or conflicts with them. */
export async function storeKnown(
  transaction: Transaction,
  deliveries: readonly EncodedDelivery[],
): Promise<StoreResult[]> {
  const results: StoreResult[] = []
  // In the order of identities, so that no two transactions wait for each other.
  const inOrder = [...deliveries.entries()].sort(([, a], [, b]) => Buffer.compare(a.identity, b.identity))
  for (const [index, delivery] of inOrder) results[index] = await storeOne(transaction, delivery)
  return results
}

export interface Inserted {
  ids: ReadonlyMap<number, number>
  /** The number of the transaction; 0 if nothing was inserted. */
  batch: number
}

interface Known {
  id: number | null
  variant: number
  sha256: Buffer
  state: Parameters<typeof isRearmed>[0]
  recovered: boolean
}

async function storeOne(transaction: Transaction, delivery: EncodedDelivery): Promise<StoreResult> {
  for (;;) {
    const known = await transaction.all<Known>(selectKnown, delivery.identity)
    known.push(...(await transaction.all<Known>(selectTombstones, delivery.identity))) // after a concurrent pruning, for which the first query waits
    const same = known.find((one) => delivery.recovered || one.recovered || one.sha256.equals(delivery.sha256))
    if (same) return storeCopy(transaction, delivery, same)
    const next = known.reduce((highest, { variant }) => Math.max(highest, variant + 1), 0)
    const id = (await insertKnown(transaction, delivery, next)).ids.get(0)
    if (id !== undefined) return { id, outcome: 'stored', conflict: next > 0 } // else, another transaction has stored it
  }
}

async function storeCopy(transaction: Transaction, delivery: EncodedDelivery, same: Known): Promise<StoreResult> {
  const { id, variant, state } = same
  const conflict = variant > 0
  if (id === null) {
    if (!isRearmed(state)) return { id: 0, outcome: 'duplicate', conflict }
    await transaction.run(deleteTombstone, delivery.identity, variant)
    const again = (await insertKnown(transaction, delivery, variant)).ids.get(0)
    return again === undefined ? storeOne(transaction, delivery) : { id: again, outcome: 'rearmed', conflict }
  }
  await transaction.run('update deliveries set duplicates = duplicates + 1 where id = $1', id)
  transaction.changed.add(id)
  if (!isRearmed(state)) return { id, outcome: 'duplicate', conflict }
  await rearmDeliveries(transaction, [id], false)
  return { id, outcome: 'rearmed', conflict }
}

async function insertKnown(transaction: Transaction, delivery: EncodedDelivery, variant: number): Promise<Inserted> {
  transaction.unmatched = true
  return insert(transaction, [delivery], { variant, isKnown: true })
}

interface InsertOptions {
  variant: number
  /** The caller has looked for tombstones. Otherwise, deliveries with a tombstone are not inserted. */
  isKnown: boolean
  acks?: readonly Ack[]
}

async function insert(
  sql: Pick<Sql, 'all'>,
  deliveries: readonly EncodedDelivery[],
  { variant, isKnown, acks = [] }: InsertOptions,
): Promise<Inserted> {
  const { packs, places } = packAll(deliveries)
  const rows = deliveries.map(({ row }) => row)
  const inserted = await sql.all<{ position: number; id: number; batch: number }>(
    insertDeliveries,
    variant,
    isKnown,
    Date.now(),
    bytesArray(packs),
    bigintArray(acks.map(({ batch }) => batch)),
    bigintArray(acks.map(({ at }) => at)),
    bigintArray(places.map(({ pack }) => pack + 1)),
    bigintArray(places.map(({ start }) => start)),
    bytesArray(deliveries.map(({ identity }) => identity)),
    bytesArray(deliveries.map(({ sha256 }) => sha256)),
    bigintArray(deliveries.map(({ sha256 }) => hashKey(sha256))),
    bigintArray(deliveries.map(({ headers }) => headers.length)),
    bigintArray(deliveries.map(({ body }) => body.length)),
    booleanArray(deliveries.map(({ recovered }) => recovered)),
    textArray(rows.map(({ source }) => source)),
    textArray(rows.map(({ hookId }) => hookId)),
    textArray(rows.map(({ guid }) => guid)),
    textArray(rows.map(({ event }) => event)),
    textArray(rows.map(({ form }) => form)),
    textArray(rows.map(({ address }) => address)),
    textArray(rows.map(({ secretId }) => secretId)),
    bigintArray(rows.map(({ secretIndex }) => secretIndex)),
    textArray(rows.map(({ algorithm }) => algorithm)),
    bigintArray(rows.map(({ receivedAt }) => receivedAt)),
    textArray(rows.map(({ trace }) => trace)),
    bigintArray(rows.map(({ editedFrom }) => editedFrom)),
  )
  const ids = new Map(inserted.map(({ position, id }) => [position - 1, id]))
  return { ids, batch: inserted[0]?.batch ?? 0 }
}

/**
 * Ids in order of receipt; rows in the order of identities, so that no two transactions wait for each other. A pack has
 * the id of its first delivery.
 */
const insertDeliveries = `
  with input as materialized (
    select
      nextval('delivery_ids') as id, pg_current_xact_id()::text::bigint as batch, *
    from unnest(
        $7::bigint[], $8::bigint[], $9::bytea[], $10::bytea[], $11::bigint[], $12::bigint[], $13::bigint[],
        $14::boolean[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[],
        $22::bigint[], $23::text[], $24::bigint[], $25::text[], $26::bigint[]
      ) with ordinality as input (
        pack, start, identity, sha256, replay_key, headers_size, size,
        recovered, source, hook_id, guid, event, form, address, secret_id,
        secret_index, algorithm, received_at, trace, edited_from, position)
  ), packs as materialized (
    select pack, min(id) as first, max(id) as last from input group by pack
  ), inserted as (
    insert into deliveries (
      id, identity, variant, sha256, source, hook_id, guid, event, form, address,
      secret_id, secret_index, algorithm, received_at, stored_at, batch, headers_size, size, trace,
      recovered, edited_from, replay_key, pack, start)
    select
      id, identity, $1, sha256, source, hook_id, guid, event, form, address,
      secret_id, secret_index, algorithm, received_at, $3, batch, headers_size, size, trace,
      recovered, edited_from, replay_key, first, start
    from input join packs using (pack)
    where $2 or not exists (select 1 from tombstones where tombstones.identity = input.identity)
    order by identity
    on conflict (identity, variant) do nothing
    returning id, pack
  ), stored as (
    insert into contents (delivery_id, bytes, last)
    select first, bytes, last
    from packs join unnest($4::bytea[]) with ordinality as input (bytes, pack) using (pack)
    where first in (select pack from inserted)
  ), logged as (
    insert into changes (deliveries) select array_agg(id) from inserted having count(*) > 0
  ), acknowledged as (
    insert into acks (batch, at)
    select batch, at from unnest($5::bigint[], $6::bigint[]) as input (batch, at)
    on conflict do nothing
  )
  select position, id, batch from inserted join input using (id)`

const selectKnown = `
  select id, variant, sha256, state, recovered from deliveries
  where identity = $1
  order by variant
  for update`

const selectTombstones = `
  select null as id, variant, sha256, state, recovered from tombstones
  where identity = $1
  order by variant
  for update`

const deleteTombstone = 'delete from tombstones where identity = $1 and variant = $2'
