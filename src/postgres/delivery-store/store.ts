import { conflictIdentityOf, type DeliveryKey, hashKey, identityOf, isCopyOf, newKey } from '../../inbox/identity.ts'
import type { NewDelivery, StoreResult } from '../../inbox/inbox.ts'
import { isRearmed } from '../../inbox/states.ts'
import { hash } from '../../runtime/recent-node.ts'
import { bigintArray, booleanArray, bytesArray, textArray } from '../connection/arrays.ts'
import type { Sql } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'
import { rearmDeliveries } from '../task-queue/match.ts'
import { compressLarge, type NewContent, type Place, packAll } from './contents.ts'

/** A delivery, encoded for the database, with its identity. */
export interface EncodedDelivery extends NewContent {
  row: Omit<NewDelivery, 'headers' | 'body'>
  identity: Uint8Array
  sha256: Buffer
}

/**
 * Encodes a delivery. Returns a promise only for a large delivery, which it compresses. A small delivery needs no
 * promise, because `packAll` compresses it later.
 */
export function encodeDelivery(delivery: NewDelivery): EncodedDelivery | Promise<EncodedDelivery> {
  const { headers, body, ...row } = delivery
  const encoded: EncodedDelivery = {
    row,
    identity: identityOf(delivery),
    sha256: hash('sha256', body, 'buffer'),
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

/** When the deliveries of a batch were acknowledged. */
export interface Ack {
  batch: number
  at: number
}

/**
 * Stores new deliveries, and acknowledgements of earlier ones, with one statement.
 * @returns the ids of the new deliveries by index, and their batch. A delivery that is stored already or was pruned has
 *   no id.
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
  identity: Buffer
  variant: number
  sha256: Buffer
  state: Parameters<typeof isRearmed>[0]
  pulled: boolean
}

async function storeOne(transaction: Transaction, delivery: EncodedDelivery): Promise<StoreResult> {
  const { row, sha256 } = delivery
  const isSame = (one: Known) => isCopyOf(one, row, sha256)
  for (;;) {
    let known = await knownOf(transaction, delivery.identity)
    let same = known.find(isSame)
    if (!same && known.length > 0) {
      known = [...known, ...(await knownOf(transaction, conflictIdentityOf(row, sha256)))]
      same = known.find(isSame)
    }
    if (same) return storeCopy(transaction, delivery, same)
    const key = newKey(known, row, sha256)
    const id = (await insertKnown(transaction, delivery, key)).ids.get(0)
    if (id !== undefined) return { id, outcome: 'stored', conflict: key.variant > 0 } // else another transaction stored it
  }
}

/** The deliveries and tombstones with this identity. Locks them. */
async function knownOf(transaction: Transaction, identity: Uint8Array): Promise<Known[]> {
  const known = await transaction.all<Known>(selectKnown, identity)
  // Read last: the first query waits for a concurrent pruning, which adds tombstones.
  return [...known, ...(await transaction.all<Known>(selectTombstones, identity))]
}

async function storeCopy(transaction: Transaction, delivery: EncodedDelivery, same: Known): Promise<StoreResult> {
  const { id, identity, variant, state } = same
  const conflict = variant > 0
  if (id === null) {
    if (!isRearmed(state)) return { id: 0, outcome: 'duplicate', conflict }
    await transaction.run(deleteTombstone, identity, variant)
    const again = (await insertKnown(transaction, delivery, same)).ids.get(0)
    return again === undefined ? storeOne(transaction, delivery) : { id: again, outcome: 'rearmed', conflict }
  }
  await transaction.run('update deliveries set duplicates = duplicates + 1 where id = $1', id)
  transaction.changed.add(id)
  if (!isRearmed(state)) return { id, outcome: 'duplicate', conflict }
  await rearmDeliveries(transaction, [id], false)
  return { id, outcome: 'rearmed', conflict }
}

async function insertKnown(
  transaction: Transaction,
  delivery: EncodedDelivery,
  { identity, variant }: DeliveryKey,
): Promise<Inserted> {
  transaction.unmatched = true
  const inserted = await insert(transaction, [{ ...delivery, identity }], { variant, isKnown: true })
  // The commit follows within milliseconds, so its time need not be recorded by a later transaction.
  if (inserted.batch > 0) await transaction.run(insertAck, inserted.batch, Date.now())
  return inserted
}

interface InsertOptions {
  variant: number
  /** Whether the caller has looked for tombstones. If `false`, deliveries with a tombstone are not inserted. */
  isKnown: boolean
  acks?: readonly Ack[]
}

async function insert(
  sql: Pick<Sql, 'all'>,
  deliveries: readonly EncodedDelivery[],
  { variant, isKnown, acks = [] }: InsertOptions,
): Promise<Inserted> {
  const { packs, places } = packAll(deliveries)
  const inserted = await sql.all<{ position: number; id: number; batch: number }>(
    insertDeliveries,
    variant,
    isKnown,
    Date.now(),
    bytesArray(packs),
    bigintArray(acks.map(({ batch }) => batch)),
    bigintArray(acks.map(({ at }) => at)),
    ...inputColumns.map(({ encode }) => encode(deliveries, places)),
  )
  const ids = new Map(inserted.map(({ position, id }) => [position - 1, id]))
  return { ids, batch: inserted[0]?.batch ?? 0 }
}

interface InputColumn {
  name: string
  type: string
  /** The values of all deliveries as one parameter. */
  encode(deliveries: readonly EncodedDelivery[], places: readonly Place[]): Buffer
}

const column = <Value>(type: string, toArray: (values: Value[]) => Buffer) => {
  return (name: string, read: (delivery: EncodedDelivery, place: Place) => Value): InputColumn => ({
    ...{ name, type },
    encode: (deliveries, places) => toArray(deliveries.map((one, index) => read(one, places[index] as Place))),
  })
}
const bigint = column('bigint', bigintArray)
const boolean = column('boolean', booleanArray)
const bytea = column('bytea', bytesArray)
const text = column('text', textArray)

/** The values that differ between the deliveries of a batch. Packs are counted from 1. */
const inputColumns: readonly InputColumn[] = [
  bigint('pack', (_, { pack }) => pack + 1),
  bigint('start', (_, { start }) => start),
  bytea('identity', ({ identity }) => identity),
  bytea('sha256', ({ sha256 }) => sha256),
  bigint('replay_key', ({ sha256 }) => hashKey(sha256)),
  bigint('headers_size', ({ headers }) => headers.length),
  bigint('size', ({ body }) => body.length),
  boolean('pulled', ({ row }) => row.pulled ?? false),
  text('source', ({ row }) => row.source),
  text('hook_id', ({ row }) => row.hookId),
  text('guid', ({ row }) => row.guid),
  text('event', ({ row }) => row.event),
  text('form', ({ row }) => row.form),
  text('address', ({ row }) => row.address),
  text('secret_id', ({ row }) => row.secretId),
  bigint('secret_index', ({ row }) => row.secretIndex),
  text('algorithm', ({ row }) => row.algorithm),
  bigint('received_at', ({ row }) => row.receivedAt),
  text('trace', ({ row }) => row.trace),
  bigint('edited_from', ({ row }) => row.editedFrom),
]

/** The number of the parameter of the first column: `insert` passes six parameters before the columns. */
const firstColumn = 7

const inputNames = inputColumns.map(({ name }) => name).join(', ')
const inputArrays = inputColumns.map(({ type }, index) => `$${index + firstColumn}::${type}[]`).join(', ')

/** The input columns that `deliveries` has too. Instead of the number of its pack, a row has the pack's id. */
const storedNames = inputColumns
  .map(({ name }) => name)
  .filter((name) => name !== 'pack')
  .join(', ')

/**
 * Assigns ids in order of receipt. Inserts rows in the order of identities, so that two transactions cannot deadlock. A
 * pack has the id of its first delivery.
 */
const insertDeliveries = `
  with input as materialized (
    select nextval('delivery_ids') as id, pg_current_xact_id()::text::bigint as batch, *
    from unnest(${inputArrays}) with ordinality as input (${inputNames}, position)
  ), packs as materialized (
    select pack, min(id) as first, max(id) as last from input group by pack
  ), inserted as (
    insert into deliveries (id, variant, stored_at, batch, pack, ${storedNames})
    select id, $1, $3, batch, first, ${storedNames}
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
  select id, identity, variant, sha256, state, pulled from deliveries
  where identity = $1
  order by variant
  for update`

const selectTombstones = `
  select null as id, identity, variant, sha256, state, pulled from tombstones
  where identity = $1
  order by variant
  for update`

const insertAck = 'insert into acks (batch, at) values ($1, $2) on conflict do nothing'

const deleteTombstone = 'delete from tombstones where identity = $1 and variant = $2'
