import { hash } from 'node:crypto'
import { hashKey, identityOf } from '../inbox/identity.ts'
import type { ImportedDelivery } from '../inbox/imported-delivery.ts'
import type { TaskDetail } from '../inbox/records.ts'
import type { Connection } from './connection.ts'
import type { Packer } from './packs.ts'
import { blockUnlessFirst, updateDeliveryState } from './tasks.ts'

/** Takes in a delivery of another inbox, as it stood there. @returns Whether it was not here yet. */
export function importDelivery(connection: Connection, packer: Packer, restored: ImportedDelivery): boolean {
  const { delivery, body } = restored
  const identity = identityOf(delivery)
  const sha256 = hash('sha256', body, 'buffer')
  const known = connection.all<{ sha256: Uint8Array }>(selectKnown, identity, identity)
  if (known.some((one) => Buffer.compare(one.sha256, sha256) === 0)) return false
  const head = new TextEncoder().encode(JSON.stringify(delivery.headers))
  const { pack, start } = packer.add(Buffer.concat([head, body]))
  const { source, hookId, guid, event, receivedAt, storedAt, ackedAt, form, address, secretId, secretIndex } = delivery
  const { algorithm, recovered, duplicates, replayed, reason, state } = delivery
  const { action, repository, sender, title, ref, sha, number } = delivery
  const isPending = state === 'pending' && delivery.tasks.length === 0 // nobody has matched it with handlers
  const id = connection.insert(
    insertDelivery,
    ...[identity, known.length, source, hookId, guid, event, receivedAt, storedAt, ackedAt ?? null, sha256],
    ...[pack, start, head.length, body.length, form, address ?? null, secretId ?? null, secretIndex ?? null],
    ...[algorithm ?? null, recovered ? 1 : 0, duplicates, replayed ? 1 : 0, reason ?? null],
    ...[action ?? null, repository ?? null, sender ?? null, title ?? null, ref ?? null, sha ?? null, number ?? null],
    ...[isPending ? 'pending' : state, isPending ? 0 : 1, isPending ? null : hashKey(sha256)],
  )
  for (const task of delivery.tasks) importTask(connection, id, task)
  if (!isPending && ['pending', 'running', 'retrying'].includes(state)) updateDeliveryState(connection, id)
  return true
}

/** What ran there was cut off: its attempt counts, and it is due at once. */
function importTask(connection: Connection, id: number, task: TaskDetail): void {
  const { handler, key, nextAttemptAt } = task
  const state = task.state === 'running' ? 'pending' : task.state
  const isDue = state === 'pending' || state === 'retrying'
  const attempts = task.attempts.toSorted((a, b) => a.number - b.number)
  const last = attempts.at(-1)?.number ?? 0
  const attempts_used = attempts.filter(({ outcome }) => outcome !== 'released').length
  connection.run(insertTask, id, handler, state, isDue ? (nextAttemptAt ?? 0) : null, key ?? null, last, attempts_used)
  for (const { number, startedAt, duration, outcome, error, result, log } of attempts) {
    const ended = outcome === 'running' ? 'cut off' : outcome
    const texts = [error ?? null, result ?? null, log ?? null]
    connection.run(insertAttempt, id, handler, number, startedAt, duration ?? null, ended, ...texts)
  }
  if (state === 'pending') blockUnlessFirst(connection, id, handler, key ?? null)
}

const selectKnown = `
  select sha256 from deliveries where identity = ?
  union all
  select sha256 from tombstones where identity = ?`

const insertDelivery = `
  insert into deliveries
    (identity, variant, source, hook_id, guid, event, received_at, stored_at, acked_at, sha256,
     pack, start, headers_size, size, form, address, secret_id, secret_index,
     algorithm, recovered, duplicates, replayed, reason,
     action, repository, sender, title, ref, sha, number,
     state, matched, replay_key)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

const insertTask = `
  insert into tasks (delivery_id, handler, state, next_at, order_key, attempt, attempts_used)
  values (?, ?, ?, ?, ?, ?, ?)`

const insertAttempt = `
  insert into attempts (delivery_id, handler, number, started_at, duration, outcome, error, result, log)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?)`
