import { hash } from 'node:crypto'
import { hashKey, identityOf } from '../inbox/identity.ts'
import type { ImportedDelivery } from '../inbox/inbox.ts'
import type { TaskDetail } from '../inbox/records.ts'
import type { Connection } from './connection.ts'
import { blockUnlessFirst } from './order.ts'
import type { Packer } from './packs.ts'
import { updateDeliveryState } from './tasks.ts'

/**
 * Stores a delivery of another inbox with its state, in the transaction of the caller.
 * @returns false if it is stored already.
 */
export function importDelivery(connection: Connection, packer: Packer, imported: ImportedDelivery): boolean {
  const { delivery, body } = imported
  const identity = identityOf(delivery)
  const sha256 = hash('sha256', body, 'buffer')
  const known = connection.all<{ sha256: Uint8Array }>(selectKnown, identity, identity)
  if (known.some((one) => Buffer.compare(one.sha256, sha256) === 0)) return false
  const headers = new TextEncoder().encode(JSON.stringify(delivery.headers))
  const isUnmatched = delivery.state === 'pending' && delivery.tasks.length === 0
  const id = connection.insert(insertDelivery, {
    identity,
    variant: known.length,
    source: delivery.source,
    hook_id: delivery.hookId,
    guid: delivery.guid,
    event: delivery.event,
    received_at: delivery.receivedAt,
    stored_at: delivery.storedAt,
    acked_at: delivery.ackedAt ?? null,
    sha256,
    ...packer.add(Buffer.concat([headers, body])), // pack and start
    headers_size: headers.length,
    size: body.length,
    form: delivery.form,
    address: delivery.address ?? null,
    secret_id: delivery.secretId ?? null,
    secret_index: delivery.secretIndex ?? null,
    algorithm: delivery.algorithm ?? null,
    recovered: delivery.recovered ? 1 : 0,
    duplicates: delivery.duplicates,
    replayed: delivery.replayed ? 1 : 0,
    reason: delivery.reason ?? null,
    action: delivery.action ?? null,
    repository: delivery.repository ?? null,
    sender: delivery.sender ?? null,
    title: delivery.title ?? null,
    ref: delivery.ref ?? null,
    sha: delivery.sha ?? null,
    number: delivery.number ?? null,
    state: delivery.state,
    matched: isUnmatched ? 0 : 1,
    replay_key: isUnmatched ? null : hashKey(sha256),
  })
  for (const task of delivery.tasks) importTask(connection, id, task)
  const isUnfinished = ['pending', 'running', 'retrying'].includes(delivery.state)
  if (isUnfinished && !isUnmatched) updateDeliveryState(connection, id)
  return true
}

/** A task that was running is due at once, and its attempt counts. */
function importTask(connection: Connection, id: number, task: TaskDetail): void {
  const { handler, key } = task
  const state = task.state === 'running' ? 'pending' : task.state
  const isDue = state === 'pending' || state === 'retrying'
  connection.run(insertTask, {
    delivery_id: id,
    handler,
    state,
    next_at: isDue ? (task.nextAttemptAt ?? 0) : null,
    order_key: key ?? null,
    attempt: Math.max(0, ...task.attempts.map(({ number }) => number)),
    attempts_used: task.attempts.filter(({ outcome }) => outcome !== 'released').length,
  })
  for (const attempt of task.attempts) {
    connection.run(insertAttempt, {
      delivery_id: id,
      handler,
      number: attempt.number,
      started_at: attempt.startedAt,
      duration: attempt.duration ?? null,
      outcome: attempt.outcome === 'running' ? 'cut off' : attempt.outcome,
      error: attempt.error ?? null,
      result: attempt.result ?? null,
      log: attempt.log ?? null,
    })
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
  values
    (:identity, :variant, :source, :hook_id, :guid, :event, :received_at, :stored_at, :acked_at, :sha256,
     :pack, :start, :headers_size, :size, :form, :address, :secret_id, :secret_index,
     :algorithm, :recovered, :duplicates, :replayed, :reason,
     :action, :repository, :sender, :title, :ref, :sha, :number,
     :state, :matched, :replay_key)`

const insertTask = `
  insert into tasks (delivery_id, handler, state, next_at, order_key, attempt, attempts_used)
  values (:delivery_id, :handler, :state, :next_at, :order_key, :attempt, :attempts_used)`

const insertAttempt = `
  insert into attempts (delivery_id, handler, number, started_at, duration, outcome, error, result, log)
  values (:delivery_id, :handler, :number, :started_at, :duration, :outcome, :error, :result, :log)`
