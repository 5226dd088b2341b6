import { randomBytes, randomInt } from 'node:crypto'
import { setValue } from './metadata.ts'
import type { Transaction } from './transaction.ts'

/**
 * Tests whether deliveries can be stored: writes one, rolls it back, and commits a small row. Its id does not come from
 * the sequence: a check every few seconds would leave large gaps between the ids of deliveries.
 * @throws the reason why a delivery could not be stored.
 */
export async function checkWritable(transaction: Transaction): Promise<void> {
  const [id, identity] = [-randomInt(1, 2 ** 47), randomBytes(32)]
  await transaction.run('savepoint probe')
  await transaction.run(insertProbe, id, identity, Date.now(), randomBytes(2048))
  await transaction.run('rollback to savepoint probe')
  // Sent together with the commit, so that the row is locked for other processes only while the commit takes.
  await Promise.all([setValue(transaction, 'writable', new Date().toISOString()), transaction.commit()])
}

const insertProbe = `
  with inserted as (
    insert into deliveries (
      id, identity, variant, sha256, source, hook_id, guid, event, form, received_at, stored_at, batch, headers_size, size,
      recovered, replay_key)
    values ($1, $2, 0, $2, '', '', '', '', 'json', $3, $3, 0, 0, 0, false, 0)
    returning id
  ), content as (
    insert into contents (delivery_id, bytes) select id, $4 from inserted
  )
  insert into changes (deliveries) select array[id] from inserted`
