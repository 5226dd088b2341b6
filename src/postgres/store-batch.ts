import { hash } from 'node:crypto'
import { hashKey, identityOf } from '../inbox/identity.ts'
import type { Parcel, Receipt } from '../inbox/inbox.ts'
import { isRearmed } from '../inbox/records.ts'
import { type Session, text } from './connection.ts'
import { pack } from './contents.ts'
import { rearm } from './match.ts'

/** Bytes from which on the content of a delivery travels as a parameter of its own. */
const large = 256 * 1024

/** A parcel as it is inserted, and what it is known by. */
export interface Packed {
  row: Record<string, unknown>
  identity: Buffer
  sha256: Buffer
  recovered: boolean
  /** Compressed. */
  bytes: Buffer
}

/** @returns a promise only for what is large: all else is packed at once, which costs less than to wait. */
export function packUp(parcel: Parcel): Packed | Promise<Packed> {
  const { headers, body, source, hookId, guid, event, form, address, secretId, secretIndex, algorithm } = parcel
  const head = new TextEncoder().encode(JSON.stringify(headers))
  const [identity, sha256] = [Buffer.from(identityOf(parcel)), hash('sha256', body, 'buffer')]
  const told = { source: text(source), hook_id: text(hookId), guid: text(guid), event: text(event), form }
  const signed = { secret_id: secretId && text(secretId), secret_index: secretIndex, algorithm }
  const row = {
    ...{ identity: identity.toString('base64'), sha256: sha256.toString('base64'), ...told, ...signed, address },
    ...{ received_at: parcel.receivedAt, head: head.length, size: body.length, trace: parcel.trace },
    replay_key: hashKey(sha256),
    ...{ recovered: parcel.recovered ?? false, edited_from: parcel.editedFrom },
  }
  const packed = pack(head, body)
  const whole = (bytes: Buffer): Packed => ({ row, identity, sha256, recovered: row.recovered, bytes })
  return packed instanceof Promise ? packed.then(whole) : whole(packed)
}

/**
 * Stores deliveries that are new, in one transaction that is sent as a whole, since every wait for an answer of the
 * database costs the senders.
 * @returns their ids by their index; those are missing that are known, or were here and have been pruned.
 */
export async function storeNew(session: Session, parcels: readonly Packed[]): Promise<Inserted> {
  return insert(session, parcels, 0, false)
}

/** Stores deliveries that are known, or recognises them, in the transaction of the caller. */
export async function storeKnown(session: Session, parcels: readonly Packed[]): Promise<Receipt[]> {
  const receipts: Receipt[] = []
  // In the order of their identities, so that no two transactions wait for each other.
  const inOrder = [...parcels.entries()].sort(([, a], [, b]) => Buffer.compare(a.identity, b.identity))
  for (const [index, parcel] of inOrder) receipts[index] = await storeOne(session, parcel)
  return receipts
}

export interface Inserted {
  ids: ReadonlyMap<number, number>
  /** What they were committed together as. */
  batch: number
}

interface Known {
  id: number | null
  variant: number
  sha256: Buffer
  state: Parameters<typeof isRearmed>[0]
  recovered: boolean
}

async function storeOne(session: Session, parcel: Packed): Promise<Receipt> {
  for (;;) {
    const known = await session.all<Known>(selectKnown, parcel.identity)
    known.push(...(await session.all<Known>(selectTombstones, parcel.identity))) // after whoever prunes has let go
    const same = known.find((one) => parcel.recovered || one.recovered || one.sha256.equals(parcel.sha256))
    if (same) return recognise(session, parcel, same)
    const next = known.reduce((highest, { variant }) => Math.max(highest, variant + 1), 0)
    const id = await insertOne(session, parcel, next)
    if (id !== undefined) return { id, outcome: 'stored', conflict: next > 0 }
  }
}

async function recognise(session: Session, parcel: Packed, same: Known): Promise<Receipt> {
  const { id, variant, state } = same
  const conflict = variant > 0
  if (id === null) {
    if (!isRearmed(state)) return { id: 0, outcome: 'duplicate', conflict }
    await session.run(deleteTombstone, parcel.identity, variant)
    const again = await insertOne(session, parcel, variant)
    return again === undefined ? storeOne(session, parcel) : { id: again, outcome: 'rearmed', conflict }
  }
  await session.run(countDuplicate, id)
  session.changed.add(id)
  if (!isRearmed(state)) return { id, outcome: 'duplicate', conflict }
  await rearm(session, [id], false)
  return { id, outcome: 'rearmed', conflict }
}

/** @returns nothing if somebody else was quicker. */
async function insertOne(session: Session, parcel: Packed, variant: number): Promise<number | undefined> {
  return (await insert(session, [parcel], variant, true)).ids.get(0)
}

/** @param known Whether it was looked for: what is not looks whether it was here and has been pruned. */
async function insert(
  session: Session,
  parcels: readonly Packed[],
  variant: number,
  known: boolean,
): Promise<Inserted> {
  const rows = parcels.map(({ row, bytes }) => {
    return { ...row, bytes: bytes.length < large ? bytes.toString('base64') : undefined }
  })
  const values = [JSON.stringify(rows), variant, Date.now(), known]
  const [inserted] = await Promise.all([
    session.all<{ position: number; id: number; batch: number }>(insertDeliveries, ...values),
    ...parcels.map(({ identity, bytes }) => {
      return bytes.length < large ? undefined : session.run(insertContent, identity, variant, bytes)
    }),
  ])
  session.unmatched = true
  const ids = new Map(inserted.map(({ position, id }) => [position - 1, id]))
  return { ids, batch: inserted[0]?.batch ?? 0 }
}

/** Ids in order of receipt; rows in the order of their identities, so that no two transactions wait for each other. */
const insertDeliveries = `
  with parcels as materialized (
    select nextval('delivery_ids') as id, pg_current_xact_id()::text::bigint as batch, *
    from rows from (json_to_recordset($1::json) as (
      identity text, sha256 text, source text, hook_id text, guid text, event text, form text, address text,
      secret_id text, secret_index int, algorithm text, received_at bigint, head int, size int, trace text,
      recovered boolean, edited_from bigint, replay_key bigint, bytes text
    )) with ordinality as parcel (
      identity, sha256, source, hook_id, guid, event, form, address,
      secret_id, secret_index, algorithm, received_at, head, size, trace,
      recovered, edited_from, replay_key, bytes, position)
  ), inserted as (
    insert into deliveries (
      id, identity, variant, sha256, source, hook_id, guid, event, form, address,
      secret_id, secret_index, algorithm, received_at, stored_at, batch, head, size, trace,
      recovered, edited_from, replay_key)
    select
      id, decode(identity, 'base64'), $2, decode(sha256, 'base64'), source, hook_id, guid, event, form, address,
      secret_id, secret_index, algorithm, received_at, $3, batch, head, size, trace,
      recovered, edited_from, replay_key
    from parcels
    where $4 or not exists (select 1 from tombstones where tombstones.identity = decode(parcels.identity, 'base64'))
    order by identity
    on conflict (identity, variant) do nothing
    returning id
  ), filled as (
    insert into contents (delivery_id, bytes)
    select id, decode(bytes, 'base64') from inserted join parcels using (id) where bytes is not null
  ), noted as (
    insert into changes (deliveries) select array_agg(id) from inserted having count(*) > 0
  )
  select position, id, batch from inserted join parcels using (id)`

/** Of a delivery that this transaction has inserted: one that was known has its content. */
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

const countDuplicate = 'update deliveries set duplicates = duplicates + 1 where id = $1'

const deleteTombstone = 'delete from tombstones where identity = $1 and variant = $2'
