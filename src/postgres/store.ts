import { hash } from 'node:crypto'
import { hashKey, identityOf } from '../inbox/identity.ts'
import type { NewDelivery, StoreResult } from '../inbox/inbox.ts'
import { isRearmed } from '../inbox/states.ts'
import { text } from './connection.ts'
import { pack } from './contents.ts'
import type { Transaction } from './database.ts'
import { rearmDeliveries } from './match.ts'

/** Bytes from which the content of a delivery is sent as a parameter of its own. */
const largeContent = 256 * 1024

/** A delivery, encoded for the database, with its identity. */
export interface EncodedDelivery {
  row: Record<string, unknown>
  identity: Buffer
  sha256: Buffer
  recovered: boolean
  /** Compressed. */
  bytes: Buffer
}

/** Returns a promise only for large deliveries: for others, waiting costs more than compressing. */
export function encodeDelivery(delivery: NewDelivery): EncodedDelivery | Promise<EncodedDelivery> {
  const { headers, body, source, hookId, guid, event, form, address, secretId, secretIndex, algorithm } = delivery
  const head = new TextEncoder().encode(JSON.stringify(headers))
  const [identity, sha256] = [Buffer.from(identityOf(delivery)), hash('sha256', body, 'buffer')]
  const texts = { source: text(source), hook_id: text(hookId), guid: text(guid), event: text(event), form }
  const signed = { secret_id: secretId && text(secretId), secret_index: secretIndex, algorithm }
  const row = {
    ...{ identity: identity.toString('base64'), sha256: sha256.toString('base64'), ...texts, ...signed, address },
    ...{ received_at: delivery.receivedAt, headers_size: head.length, size: body.length, trace: delivery.trace },
    replay_key: hashKey(sha256),
    ...{ recovered: delivery.recovered ?? false, edited_from: delivery.editedFrom },
  }
  const packed = pack(head, body)
  const whole = (bytes: Buffer): EncodedDelivery => ({ row, identity, sha256, recovered: row.recovered, bytes })
  return packed instanceof Promise ? packed.then(whole) : whole(packed)
}

/**
 * Stores new deliveries with statements that need no answer of each other, so that the transaction takes one round trip.
 * @returns the ids by index, without deliveries that are stored already or were pruned.
 */
export function storeNew(transaction: Transaction, deliveries: readonly EncodedDelivery[]): Promise<Inserted> {
  return insert(transaction, deliveries, 0, false)
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
    const id = (await insert(transaction, [delivery], next, true)).ids.get(0)
    if (id !== undefined) return { id, outcome: 'stored', conflict: next > 0 } // else, another transaction has stored it
  }
}

async function storeCopy(transaction: Transaction, delivery: EncodedDelivery, same: Known): Promise<StoreResult> {
  const { id, variant, state } = same
  const conflict = variant > 0
  if (id === null) {
    if (!isRearmed(state)) return { id: 0, outcome: 'duplicate', conflict }
    await transaction.run(deleteTombstone, delivery.identity, variant)
    const again = (await insert(transaction, [delivery], variant, true)).ids.get(0)
    return again === undefined ? storeOne(transaction, delivery) : { id: again, outcome: 'rearmed', conflict }
  }
  await transaction.run('update deliveries set duplicates = duplicates + 1 where id = $1', id)
  transaction.changed.add(id)
  if (!isRearmed(state)) return { id, outcome: 'duplicate', conflict }
  await rearmDeliveries(transaction, [id], false)
  return { id, outcome: 'rearmed', conflict }
}

/** @param known The caller has looked for tombstones. Otherwise, deliveries with a tombstone are not inserted. */
async function insert(
  transaction: Transaction,
  deliveries: readonly EncodedDelivery[],
  variant: number,
  known: boolean,
): Promise<Inserted> {
  const rows = deliveries.map(({ row, bytes }) => {
    return { ...row, bytes: bytes.length < largeContent ? bytes.toString('base64') : undefined }
  })
  const values = [JSON.stringify(rows), variant, Date.now(), known]
  const [inserted] = await Promise.all([
    transaction.all<{ position: number; id: number; batch: number }>(insertDeliveries, ...values),
    ...deliveries.map(({ identity, bytes }) => {
      return bytes.length < largeContent ? undefined : transaction.run(insertContent, identity, variant, bytes)
    }),
  ])
  transaction.unmatched = true
  const ids = new Map(inserted.map(({ position, id }) => [position - 1, id]))
  return { ids, batch: inserted[0]?.batch ?? 0 }
}

/** Ids in order of receipt; rows in the order of identities, so that no two transactions wait for each other. */
const insertDeliveries = `
  with input as materialized (
    select nextval('delivery_ids') as id, pg_current_xact_id()::text::bigint as batch, *
    from rows from (json_to_recordset($1::json) as (
      identity text, sha256 text, source text, hook_id text, guid text, event text, form text, address text,
      secret_id text, secret_index int, algorithm text, received_at bigint, headers_size int, size int, trace text,
      recovered boolean, edited_from bigint, replay_key bigint, bytes text
    )) with ordinality as input (
      identity, sha256, source, hook_id, guid, event, form, address,
      secret_id, secret_index, algorithm, received_at, headers_size, size, trace,
      recovered, edited_from, replay_key, bytes, position)
  ), inserted as (
    insert into deliveries (
      id, identity, variant, sha256, source, hook_id, guid, event, form, address,
      secret_id, secret_index, algorithm, received_at, stored_at, batch, headers_size, size, trace,
      recovered, edited_from, replay_key)
    select
      id, decode(identity, 'base64'), $2, decode(sha256, 'base64'), source, hook_id, guid, event, form, address,
      secret_id, secret_index, algorithm, received_at, $3, batch, headers_size, size, trace,
      recovered, edited_from, replay_key
    from input
    where $4 or not exists (select 1 from tombstones where tombstones.identity = decode(input.identity, 'base64'))
    order by identity
    on conflict (identity, variant) do nothing
    returning id
  ), content as (
    insert into contents (delivery_id, bytes)
    select id, decode(bytes, 'base64') from inserted join input using (id) where bytes is not null
  ), logged as (
    insert into changes (deliveries) select array_agg(id) from inserted having count(*) > 0
  )
  select position, id, batch from inserted join input using (id)`

/** Only for a delivery that this transaction has inserted: a known one has its content. */
const insertContent = `
  insert into contents (delivery_id, bytes)
  select id, $3 from deliveries
  where identity = $1 and variant = $2 and batch = pg_current_xact_id()::text::bigint`

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
