import type { Parcel, Receipt } from '../inbox/inbox.ts'
import type { DeliveryState } from '../inbox/records.ts'
import { type PackedBody, pack } from './bodies.ts'
import type { Connection } from './connection.ts'
import { rearm } from './dispatching.ts'
import { identityOf } from './identity.ts'

/** A parcel on its way to the thread that stores it: flat, so that it is cheap to copy. */
export interface PackedParcel extends Omit<Parcel, 'headers'> {
  /** JSON. */
  headers: string
  /** Set where the body was compressed on its way, and `body` is the compressed one. */
  packed?: { sha256: Uint8Array; size: number }
}

interface Known {
  id: number | null
  variant: number
  sha256: Uint8Array
  state: DeliveryState
  recovered: number
}

/** Stores a delivery, in the transaction of the caller. */
export function store(connection: Connection, parcel: PackedParcel, now: number): Receipt {
  const body = parcel.packed ? { ...parcel.packed, bytes: parcel.body } : pack(parcel.body)
  const identity = identityOf(parcel)
  const known = connection.all<Known>(selectKnown, identity, identity)
  const same = known.find((one) => {
    return parcel.recovered || one.recovered === 1 || Buffer.compare(one.sha256, body.sha256) === 0
  })
  if (!same) return insert(connection, parcel, body, identity, nextVariant(known), now)
  if (same.id === null) {
    if (!isRearmed(same.state)) return { id: 0, outcome: 'duplicate' }
    connection.run(deleteTombstone, identity, same.variant)
    return { ...insert(connection, parcel, body, identity, same.variant, now), outcome: 'rearmed' }
  }
  connection.run(countDuplicate, same.id)
  if (!isRearmed(same.state)) return { id: same.id, outcome: 'duplicate' }
  rearm(connection, same.id, false)
  return { id: same.id, outcome: 'rearmed' }
}

function insert(
  connection: Connection,
  parcel: PackedParcel,
  body: PackedBody,
  identity: Uint8Array,
  variant: number,
  now: number,
): Receipt {
  const { source, hookId, guid, event, receivedAt, form, address, secretId, secretIndex, algorithm, recovered } = parcel
  const id = connection.insert(
    insertDelivery,
    ...[identity, variant, source, hookId, guid, event, receivedAt, now, body.sha256, body.size, form],
    ...[address ?? null, secretId ?? null, secretIndex ?? null, algorithm ?? null, recovered ? 1 : 0],
  )
  connection.run(insertBody, id, parcel.headers, body.bytes, parcel.trace ?? null)
  return { id, outcome: 'stored' }
}

function nextVariant(known: readonly Known[]): number {
  return known.reduce((next, { variant }) => Math.max(next, variant + 1), 0)
}

/** Whether another copy has a delivery handled again. */
function isRearmed(state: DeliveryState): boolean {
  return state === 'dead' || state === 'ignored' || state === 'discarded'
}

const selectKnown = `
  select id, variant, sha256, state, recovered from deliveries where identity = ?
  union all
  select null, variant, sha256, state, recovered from tombstones where identity = ?
  order by variant`

const insertDelivery = `
  insert into deliveries
    (identity, variant, source, hook_id, guid, event, received_at, stored_at, sha256, size, form,
     address, secret_id, secret_index, algorithm, recovered, state, dispatched)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', 0)`

const insertBody = 'insert into bodies (id, headers, body, trace) values (?, ?, ?, ?)'

const countDuplicate = 'update deliveries set duplicates = duplicates + 1 where id = ?'

const deleteTombstone = 'delete from tombstones where identity = ? and variant = ?'
