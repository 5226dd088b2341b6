import { randomBytes, randomInt } from 'node:crypto'
import type { Session } from './connection.ts'
import { asked } from './database.ts'
import { setValue } from './metadata.ts'

/**
 * Stores a delivery on trial: writes it, rolls it back, and commits a small row. Its id is not from the sequence: a
 * check every few seconds would leave large gaps between the ids of deliveries.
 * @throws whatever would keep a delivery from being stored.
 */
export async function checkWritable(session: Session): Promise<() => Promise<void>> {
  const [id, identity] = [-randomInt(1, 2 ** 47), randomBytes(32)]
  await session.run('savepoint probe')
  await session.run(insertProbe, id, identity, Date.now(), randomBytes(2048))
  await session.run('rollback to savepoint probe')
  // Sent together with the commit: the row is locked for other processes only as long as the commit takes.
  return asked(setValue(session, 'writable', new Date().toISOString()))
}

const insertProbe = `
  with inserted as (
    insert into deliveries (
      id, identity, variant, sha256, source, hook_id, guid, event, form, received_at, stored_at, batch, headers_size, size,
      recovered, replay_key)
    values ($1, $2, 0, $2, '', '', '', '', 'json', $3, $3, 0, 0, 0, false, 0)
    returning id
  ), filled as (
    insert into contents (delivery_id, bytes) select id, $4 from inserted
  )
  insert into changes (deliveries) select array[id] from inserted`
