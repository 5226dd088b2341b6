import { hash } from 'node:crypto'
import { identityOf } from '../inbox/identity.ts'
import type { NewDelivery, StoreResult } from '../inbox/inbox.ts'
import { type DeliveryState, isRearmed } from '../inbox/records.ts'
import type { Connection } from './connection.ts'
import { rearmDelivery } from './match.ts'
import { compressLarge, large, type Packer } from './packs.ts'

/** A delivery on its way to the thread that stores it: flat, so that it is cheap to copy. */
export interface EncodedDelivery extends Omit<NewDelivery, 'headers' | 'body'> {
  /** Headers and body. */
  content: Uint8Array
  head: number
  size: number
  /** Of the body; set where `content` was compressed on its way. */
  sha256?: Uint8Array
}

/** Ends as a promise only for what is large: the others keep their turn. */
export function encodeDelivery({ headers, body, ...rest }: NewDelivery): EncodedDelivery | Promise<EncodedDelivery> {
  const head = new TextEncoder().encode(JSON.stringify(headers))
  const content = new Uint8Array(head.length + body.length)
  content.set(head)
  content.set(body, head.length)
  const packed = { ...rest, content, head: head.length, size: body.length }
  if (content.length < large) return packed
  const sha256 = hash('sha256', body, 'buffer')
  return compressLarge(content).then((compressed) => ({ ...packed, content: compressed, sha256 }))
}

interface Known {
  id: number | null
  variant: number
  sha256: Uint8Array
  state: DeliveryState
  recovered: number
}

/** Stores a delivery, in the transaction of the caller. */
export function store(connection: Connection, packer: Packer, delivery: EncodedDelivery, now: number): StoreResult {
  const sha256 = delivery.sha256 ?? hash('sha256', delivery.content.subarray(delivery.head), 'buffer')
  const insert = (variant: number) => insertInto(connection, packer, delivery, { identity, variant, sha256 }, now)
  const identity = identityOf(delivery)
  const known = connection.all<Known>(selectKnown, identity, identity)
  const same = known.find((one) => {
    return delivery.recovered || one.recovered === 1 || Buffer.compare(one.sha256, sha256) === 0
  })
  if (!same) return insert(nextVariant(known))
  const conflict = same.variant > 0
  if (same.id === null) {
    if (!isRearmed(same.state)) return { id: 0, outcome: 'duplicate', conflict }
    connection.run(deleteTombstone, identity, same.variant)
    return { ...insert(same.variant), outcome: 'rearmed' }
  }
  connection.run(countDuplicate, same.id)
  connection.changed.add(same.id)
  if (!isRearmed(same.state)) return { id: same.id, outcome: 'duplicate', conflict }
  rearmDelivery(connection, same.id, false)
  return { id: same.id, outcome: 'rearmed', conflict }
}

function insertInto(
  connection: Connection,
  packer: Packer,
  delivery: EncodedDelivery,
  { identity, variant, sha256 }: { identity: Uint8Array; variant: number; sha256: Uint8Array },
  now: number,
): StoreResult {
  const { source, hookId, guid, event, receivedAt, form, address, secretId, secretIndex, algorithm, recovered } =
    delivery
  const { editedFrom } = delivery
  const { pack, start } = delivery.sha256 ? packer.addCompressed(delivery.content) : packer.add(delivery.content)
  const id = connection.insert(
    insertDelivery,
    ...[identity, variant, source, hookId, guid, event, receivedAt, now, sha256],
    ...[pack, start, delivery.head, delivery.size, delivery.trace ?? null, form],
    ...[address ?? null, secretId ?? null, secretIndex ?? null, algorithm ?? null, recovered ? 1 : 0],
    editedFrom ?? null,
  )
  return { id, outcome: 'stored', conflict: variant > 0 }
}

function nextVariant(known: readonly Known[]): number {
  return known.reduce((next, { variant }) => Math.max(next, variant + 1), 0)
}

const selectKnown = `
  select id, variant, sha256, state, recovered from deliveries where identity = ?
  union all
  select null, variant, sha256, state, recovered from tombstones where identity = ?
  order by variant`

const insertDelivery = `
  insert into deliveries
    (identity, variant, source, hook_id, guid, event, received_at, stored_at, sha256,
     pack, start, headers_size, size, trace, form,
     address, secret_id, secret_index, algorithm, recovered, edited_from, state, matched)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', 0)`

const countDuplicate = 'update deliveries set duplicates = duplicates + 1 where id = ?'

const deleteTombstone = 'delete from tombstones where identity = ? and variant = ?'
