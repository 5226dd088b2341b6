import { randomBytes, randomUUID } from 'node:crypto'
import type { Connection } from './connection.ts'
import { Packer } from './packs.ts'
import { type EncodedDelivery, encodeDelivery, store } from './store.ts'

/**
 * Stores a delivery on trial and rolls it back, in the transaction of the caller: the same statements read and write the
 * same tables and indexes as for a delivery from GitHub.
 * @throws whatever would keep a delivery from being stored.
 */
export function checkWritable(connection: Connection, now: number): void {
  connection.db.exec('savepoint probe')
  const packer = new Packer(connection) // its own: that of the writer may hold other deliveries of this transaction
  store(connection, packer, probe(now), now)
  packer.flush()
  connection.db.exec('rollback to probe')
  connection.db.exec('release probe')
}

/** A delivery of the usual size, once it is compressed. Small deliveries are never compressed asynchronously. */
function probe(receivedAt: number): EncodedDelivery {
  return encodeDelivery({
    source: '',
    hookId: '',
    guid: randomUUID(), // so that each check reads another place of the index
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
