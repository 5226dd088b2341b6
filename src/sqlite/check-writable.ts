import { randomBytes, randomUUID } from 'node:crypto'
import type { Connection } from './connection.ts'
import { Packer } from './packs.ts'
import { type EncodedDelivery, encodeDelivery, store } from './store.ts'

/**
 * Stores a delivery and rolls it back, in the transaction of the caller. It runs the statements that store a delivery from
 * GitHub, on the same tables and indexes.
 * @throws the reason why a delivery could not be stored.
 */
export function checkWritable(connection: Connection, now: number): void {
  connection.db.exec('savepoint probe')
  const packer = new Packer(connection) // that of the writer may contain other deliveries of this transaction
  store(connection, packer, probe(now), now)
  packer.flush()
  connection.db.exec('rollback to probe')
  connection.db.exec('release probe')
}

/** A delivery of the usual compressed size. It is too small to be compressed asynchronously, hence no promise. */
function probe(receivedAt: number): EncodedDelivery {
  return encodeDelivery({
    source: '',
    hookId: '',
    guid: randomUUID(), // each check reads another page of the index
    event: '',
    headers: {},
    body: randomBytes(2048),
    form: 'json',
    address: undefined,
    receivedAt,
    secretId: undefined,
    secretIndex: undefined,
    algorithm: undefined,
  }) as EncodedDelivery
}
