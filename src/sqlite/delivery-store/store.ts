import { randomBytes, randomUUID } from 'node:crypto'
import { conflictIdentityOf, type DeliveryKey, identityOf, isCopyOf, newKey } from '../../inbox/identity.ts'
import type { NewDelivery, StoreResult } from '../../inbox/inbox.ts'
import type { DeliveryState } from '../../inbox/records.ts'
import { isRearmed } from '../../inbox/states.ts'
import { hash } from '../../runtime/recent-node.ts'
import { transfer } from '../../runtime/thread-server.ts'
import type { Connection } from '../connection/connection.ts'
import { rearmDelivery } from '../task-queue/match.ts'
import { compressLarge, large, Packer } from './packs.ts'

/** A delivery for the writer thread: flat, so that it is cheap to copy. */
export interface EncodedDelivery extends Omit<NewDelivery, 'headers' | 'body'> {
  /** Headers and body; compressed if `sha256` is set. */
  content: Uint8Array
  headersSize: number
  /** Bytes of the body. */
  size: number
  /** The hash of the body of a large delivery. */
  sha256?: Uint8Array
}

/**
 * Encodes a delivery, and compresses it if it is large.
 * @returns a promise only for a large delivery. `checkWritable` encodes a small one, and it cannot wait for a promise.
 */
export function encodeDelivery({ headers, body, ...rest }: NewDelivery): EncodedDelivery | Promise<EncodedDelivery> {
  const head = new TextEncoder().encode(JSON.stringify(headers))
  const content = new Uint8Array(head.length + body.length)
  content.set(head)
  content.set(body, head.length)
  const encoded = { ...rest, content, headersSize: head.length, size: body.length }
  if (content.length < large) return encoded
  const sha256 = hash('sha256', body, 'buffer')
  return compressLarge(content).then((compressed) => {
    return transfer({ ...encoded, content: compressed, sha256 }, [compressed])
  })
}

/** A stored delivery with the same identity, or the tombstone of a pruned one. A tombstone has no id. */
interface Known extends DeliveryKey {
  id: number | null
  sha256: Uint8Array
  state: DeliveryState
  pulled: number
}

/** Stores a delivery, in the transaction of the caller. */
export function store(connection: Connection, packer: Packer, delivery: EncodedDelivery, now: number): StoreResult {
  const sha256 = delivery.sha256 ?? hash('sha256', delivery.content.subarray(delivery.headersSize), 'buffer')
  const insert = (key: DeliveryKey) => insertDelivery(connection, packer, delivery, { ...key, sha256 }, now)
  let known = knownOf(connection, identityOf(delivery))
  const isSame = (one: Known) => isCopyOf(one, delivery, sha256)
  let same = known.find(isSame)
  if (!same && known.length > 0) {
    known = [...known, ...knownOf(connection, conflictIdentityOf(delivery, sha256))]
    same = known.find(isSame)
  }
  if (!same) return insert(newKey(known, delivery, sha256))
  const conflict = same.variant > 0
  if (same.id === null) {
    if (!isRearmed(same.state)) return { id: 0, outcome: 'duplicate', conflict }
    connection.run(deleteTombstone, same.identity, same.variant)
    return { ...insert(same), outcome: 'rearmed' }
  }
  connection.run(countDuplicate, same.id)
  connection.changed.add(same.id)
  if (!isRearmed(same.state)) return { id: same.id, outcome: 'duplicate', conflict }
  rearmDelivery(connection, same.id, false)
  return { id: same.id, outcome: 'rearmed', conflict }
}

/** The deliveries and tombstones with this identity, in the order of variants. */
export const knownOf = (connection: Connection, identity: Uint8Array): Known[] =>
  connection.all(selectKnown, identity, identity)

/**
 * Inserts a delivery. The first delivery with an identity has the variant 0. A conflict has a higher variant: usually 1,
 * because the identity of a conflict depends on its bytes.
 */
export function insertDelivery(
  connection: Connection,
  packer: Packer,
  delivery: EncodedDelivery,
  { identity, variant, sha256 }: DeliveryKey & { sha256: Uint8Array },
  now: number,
): StoreResult {
  const { pack, start } = delivery.sha256 ? packer.addCompressed(delivery.content) : packer.add(delivery.content)
  const id = connection.insert(
    insertRow,
    identity,
    variant,
    delivery.source,
    delivery.hookId,
    delivery.guid,
    delivery.event,
    delivery.receivedAt,
    now,
    sha256,
    pack,
    start,
    delivery.headersSize,
    delivery.size,
    delivery.trace ?? null,
    delivery.form,
    delivery.address ?? null,
    delivery.secretId ?? null,
    delivery.secretIndex ?? null,
    delivery.algorithm ?? null,
    delivery.pulled ? 1 : 0,
    delivery.editedFrom ?? null,
  )
  return { id, outcome: 'stored', conflict: variant > 0 }
}

/**
 * Stores a delivery like one from GitHub and rolls it back, in the transaction of the caller.
 * @throws the reason why a delivery could not be stored.
 */
export function checkWritable(connection: Connection, now: number): void {
  const packer = new Packer(connection) // the writer's packer may contain other deliveries
  try {
    connection.transaction(() => {
      store(connection, packer, probe(now), now)
      packer.flush()
      throw stored
    })
  } catch (error) {
    if (error !== stored) throw error
  }
}

/** Thrown to roll back a probe that could be stored. */
const stored = new Error('The probe is rolled back')

/** A delivery of the usual compressed size. It is so small that `encodeDelivery` returns no promise. */
function probe(receivedAt: number): EncodedDelivery {
  return encodeDelivery({
    guid: randomUUID(), // with the same GUID, each check would read the same cached page of the index
    body: randomBytes(2048),
    ...{ source: '', hookId: '', event: '', headers: {}, form: 'json', receivedAt },
    ...{ address: undefined, secretId: undefined, secretIndex: undefined, algorithm: undefined },
  }) as EncodedDelivery
}

const selectKnown = `
  select id, identity, variant, sha256, state, pulled from deliveries where identity = ?
  union all
  select null, identity, variant, sha256, state, pulled from tombstones where identity = ?
  order by variant`

const insertRow = `
  insert into deliveries
    (identity, variant, source, hook_id, guid, event, received_at, stored_at, sha256,
     pack, start, headers_size, size, trace, form,
     address, secret_id, secret_index, algorithm, pulled, edited_from, state, matched)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', 0)`

const countDuplicate = 'update deliveries set duplicates = duplicates + 1 where id = ?'
const deleteTombstone = 'delete from tombstones where identity = ? and variant = ?'
