import { checkImported } from '../../inbox/check-imported.ts'
import { conflictIdentityOf, hashKey, identityOf, isCopyOf, newKey } from '../../inbox/identity.ts'
import type { ImportedDelivery } from '../../inbox/inbox.ts'
import type { TaskDetail } from '../../inbox/records.ts'
import { countedAttempts } from '../../inbox/rows.ts'
import { hasEnded, matchOf } from '../../inbox/states.ts'
import { importedFailure } from '../../inbox/task-failure.ts'
import { hash } from '../../runtime/recent-node.ts'
import type { Connection } from '../connection/connection.ts'
import type { Packer } from '../delivery-store/packs.ts'
import { type EncodedDelivery, insertDelivery, knownOf } from '../delivery-store/store.ts'
import { hasTasks, saveFailureGroup } from '../task-queue/failure-groups.ts'
import { passOfNew } from '../task-queue/fairness.ts'
import { blockUnlessFirst } from '../task-queue/order.ts'
import { insertAttempt, updateDeliveryState, updateDurationClass } from '../task-queue/tasks.ts'

/**
 * Stores a delivery of another inbox with its state, in the transaction of the caller.
 * @returns false if it is stored already, or was pruned. @throws {Error} if it is invalid.
 */
export function importDelivery(connection: Connection, packer: Packer, imported: ImportedDelivery): boolean {
  checkImported(imported)
  const { delivery, body } = imported
  const sha256 = hash('sha256', body, 'buffer')
  const identities = [identityOf(delivery), conflictIdentityOf(delivery, sha256)]
  const known = identities.flatMap((identity) => knownOf(connection, identity))
  if (known.some((one) => isCopyOf(one, delivery, sha256))) return false
  const key = { ...newKey(known, delivery, sha256), sha256 }
  const { id } = insertDelivery(connection, packer, encode(imported), key, delivery.storedAt)
  const { isUnmatched, rerun } = matchOf(delivery)
  connection.run(
    updateImported,
    delivery.state,
    isUnmatched ? 0 : 1,
    rerun ? 1 : 0,
    isUnmatched && delivery.tasks.length === 0 ? null : hashKey(sha256),
    delivery.replayed ? 1 : 0,
    delivery.duplicates,
    delivery.ackedAt ?? null,
    delivery.reason ?? null,
    delivery.action ?? null,
    delivery.repository ?? null,
    delivery.sender ?? null,
    delivery.title ?? null,
    delivery.ref ?? null,
    delivery.sha ?? null,
    delivery.number ?? null,
    id,
  )
  for (const task of delivery.tasks) importTask(connection, id, task, delivery.repository)
  updateDurationClass(connection, id)
  if (!hasEnded(delivery.state) && !isUnmatched) updateDeliveryState(connection, id)
  return true
}

/** Copies the members one by one, because an export may have other members too. */
function encode({ delivery, body }: ImportedDelivery): EncodedDelivery {
  const { source, hookId, guid, event, receivedAt, form, address, pulled } = delivery
  const { secretId, secretIndex, algorithm } = delivery
  const headers = new TextEncoder().encode(JSON.stringify(delivery.headers))
  return {
    ...{ source, hookId, guid, event, receivedAt, form, address, pulled, secretId, secretIndex, algorithm },
    ...{ content: Buffer.concat([headers, body]), headersSize: headers.length, size: body.length },
  }
}

/**
 * Imports a task and its attempts. A task that was running is imported as pending. Its attempt is recorded as cut off,
 * and counts. Its turns are those of its repository, because an export has no fair keys.
 */
function importTask(connection: Connection, id: number, imported: TaskDetail, repository = ''): void {
  const { handler, key, attempts, ...task } = imported
  const failure = importedFailure(imported)
  if (failure && !hasTasks(connection, failure)) saveFailureGroup(connection, failure)
  const state = task.state === 'running' ? 'pending' : task.state
  const nextAt = state === 'pending' || state === 'retrying' ? (task.nextAttemptAt ?? 0) : null
  connection.run(
    insertTask,
    id,
    handler,
    state,
    nextAt,
    state === 'pending' ? (task.nextAttemptAt ?? null) : null,
    key ?? null,
    repository,
    nextAt === 0 ? passOfNew(connection, handler, repository, state) : 0,
    Math.max(0, ...attempts.map(({ number }) => number)),
    countedAttempts(imported),
    failure?.id ?? null,
    failure?.at ?? null,
  )
  for (const { number, outcome, ...attempt } of attempts) {
    const ended = outcome === 'running' ? 'cut off' : outcome
    insertAttempt(connection, { ...attempt, id, handler, attempt: number, outcome: ended })
  }
  if (state === 'pending') blockUnlessFirst(connection, id, handler, key ?? null)
}

const updateImported = `
  update deliveries
  set state = ?, matched = ?, rerun = ?, replay_key = ?, replayed = ?, duplicates = ?, acked_at = ?, reason = ?, action = ?,
      repository = ?, sender = ?, title = ?, ref = ?, sha = ?, number = ?
  where id = ?`

const insertTask = `
  insert into tasks (
    delivery_id, handler, state, next_at, start_at, order_key, fair_key, pass, attempt, attempts_used, failure_group,
    failed_at)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
