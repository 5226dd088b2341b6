import type { NewAuditEntry } from '../../inbox/audit-log.ts'
import { checkImported } from '../../inbox/check-imported.ts'
import { conflictIdentityOf, hashKey, identityOf, isCopyOf, newKey } from '../../inbox/identity.ts'
import type { ImportedDelivery } from '../../inbox/inbox.ts'
import type { TaskDetail } from '../../inbox/records.ts'
import { countedAttempts } from '../../inbox/rows.ts'
import { deliveryStateOf, hasEnded, matchOf, nextAttemptOf } from '../../inbox/states.ts'
import { importedFailure, type TaskFailure } from '../../inbox/task-failure.ts'
import { hash } from '../../runtime/recent-node.ts'
import { bytesArray } from '../connection/arrays.ts'
import { recordset } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'
import { pack } from '../delivery-store/contents.ts'
import { recordChange } from '../metadata/audit-log.ts'
import { saveFailureGroups } from '../task-queue/failure-groups.ts'
import { passesOf } from '../task-queue/fairness.ts'
import { orderHash } from '../task-queue/order.ts'
import { durationClass } from '../task-queue/tasks.ts'

/**
 * Imports deliveries of another inbox with their states, in the transaction of the caller.
 * @returns the number of new deliveries. @throws {Error} if a delivery is invalid.
 */
export async function importDeliveries(
  transaction: Transaction,
  deliveries: readonly ImportedDelivery[],
  entry?: NewAuditEntry,
): Promise<number> {
  for (const imported of deliveries) checkImported(imported)
  const importedIds: number[] = []
  const failures: TaskFailure[] = []
  const ids = await transaction.all<{ id: number }>(reserveIds, deliveries.length) // in the order of `deliveries`
  const identified = deliveries.map((imported, index) => {
    return { imported, id: ids[index]?.id as number, identity: Buffer.from(identityOf(imported.delivery)) }
  })
  // Written in the order of identities, as in `store.ts`, so that no two transactions wait for each other.
  for (const { imported, id, identity } of identified.sort((a, b) => Buffer.compare(a.identity, b.identity))) {
    if (!(await importDelivery(transaction, id, identity, imported))) continue
    importedIds.push(id)
    failures.push(...imported.delivery.tasks.flatMap((task) => importedFailure(task) ?? []))
  }
  // At the end, because other transactions lock groups after deliveries, too.
  await saveFailureGroups(transaction, failures, importedIds)
  if (importedIds.length > 0) transaction.due = true
  await recordChange(transaction, entry, { count: importedIds.length })
  return importedIds.length
}

async function importDelivery(
  transaction: Transaction,
  id: number,
  identity: Buffer,
  { delivery, body }: ImportedDelivery,
): Promise<boolean> {
  const sha256 = hash('sha256', body, 'buffer')
  const identities = [identity, conflictIdentityOf(delivery, sha256)]
  const known = await transaction.all<Known>(selectKnown, bytesArray(identities))
  if (known.some((one) => isCopyOf(one, delivery, sha256))) return false
  const key = newKey(known, delivery, sha256)
  const headers = new TextEncoder().encode(JSON.stringify(delivery.headers))
  const tasks = delivery.tasks.map((task) => taskOf(id, task, delivery.repository))
  const { isUnmatched, rerun } = matchOf(delivery)
  const row = {
    ...delivery,
    ...(!isUnmatched && stateColumns(delivery, tasks)),
    variant: key.variant,
    headers_size: headers.length,
    size: body.length,
    matched: !isUnmatched,
    rerun,
    replayKey: hashKey(sha256),
  }
  const inserted = await transaction.run(insertDelivery, recordset([row]), key.identity, sha256, id)
  if (inserted === 0) return false // another transaction has stored it meanwhile
  await transaction.run(insertContent, id, await pack(headers, body))
  await transaction.run(insertTasks, recordset(tasks))
  await transaction.run(insertAttempts, id, recordset(delivery.tasks.flatMap(attemptsOf)))
  await transaction.run(updateDurationClass, id)
  transaction.changed.add(id)
  return true
}

/** A stored delivery with the same identity, or the tombstone of a pruned one. */
interface Known {
  sha256: Buffer
  variant: number
  pulled: boolean
}

type ImportedTask = ReturnType<typeof taskOf>

/**
 * The row of a task. A running task becomes pending and due: its attempt is recorded as cut off, and counts. The turns of a
 * task are those of its repository, because an export has no fair keys.
 */
function taskOf(id: number, imported: TaskDetail, repository = '') {
  const { handler, key, nextAttemptAt, attempts, ...rest } = imported
  const failure = importedFailure(imported)
  const state = rest.state === 'running' ? 'pending' : rest.state
  const nextAt = state === 'pending' || state === 'retrying' ? (nextAttemptAt ?? 0) : undefined
  return {
    delivery_id: id,
    handler,
    state,
    key,
    fair_key: repository,
    ready: nextAt === 0,
    nextAt,
    startAt: state === 'pending' ? nextAttemptAt : undefined,
    order_hash: orderHash(handler, key),
    attempt: Math.max(0, ...attempts.map(({ number }) => number)),
    attempts_used: countedAttempts(imported),
    failure_group: failure?.id,
    failed_at: failure?.at,
  }
}

/** A delivery that has ended keeps its state. The state of any other matched delivery follows from its tasks. */
function stateColumns(
  { state }: ImportedDelivery['delivery'],
  tasks: readonly ImportedTask[],
): Pick<ImportedDelivery['delivery'], 'state'> & { nextAt?: number | undefined } {
  if (hasEnded(state)) return { state }
  const current = deliveryStateOf(tasks.map((task) => task.state))
  return { state: current, nextAt: nextAttemptOf(current, tasks) }
}

function attemptsOf({ handler, attempts }: TaskDetail): object[] {
  return attempts.map(({ outcome, ...attempt }) => {
    return { ...attempt, handler, outcome: outcome === 'running' ? 'cut off' : outcome }
  })
}

const reserveIds = `select nextval('delivery_ids') as id from generate_series(1, $1::int)`

const selectKnown = `
  select sha256, variant, pulled from deliveries where identity = any($1::bytea[])
  union all
  select sha256, variant, pulled from tombstones where identity = any($1::bytea[])`

/**
 * An acknowledgement belongs to a batch, and each imported delivery keeps its own acknowledgement. So each imported
 * delivery is a batch of its own, with the number `-id`, which no transaction has.
 */
const insertDelivery = `
  with input as materialized (
    select $4::bigint as id, *
    from json_to_recordset($1::json) as input (
      variant int, source text, "hookId" text, guid text, event text, state text, matched boolean, rerun boolean, "nextAt" bigint,
      "receivedAt" bigint, "storedAt" bigint, "ackedAt" bigint, "replayKey" bigint, headers_size int, size int, form text,
      address text, "secretId" text, "secretIndex" int, algorithm text, pulled boolean, duplicates int,
      replayed boolean, reason text, action text, repository text, sender text, title text, ref text, sha text,
      number bigint)
  ), acknowledged as (
    insert into acks (batch, at) select -id, "ackedAt" from input where "ackedAt" is not null
  )
  insert into deliveries (
    id, identity, variant, source, hook_id, guid, event, state, matched, rerun, next_at, received_at, stored_at, batch,
    sha256, replay_key, headers_size, size, form, address, secret_id, secret_index, algorithm, pulled, duplicates,
    replayed, reason, action, repository, sender, title, ref, sha, number)
  select
    id, $2, variant, source, "hookId", guid, event, state, matched, rerun, "nextAt", "receivedAt", "storedAt", -id,
    $3, "replayKey", headers_size, size, form, address, "secretId", "secretIndex", algorithm, pulled, duplicates,
    replayed, reason, action, repository, sender, title, ref, sha, number
  from input
  on conflict (identity, variant) do nothing`

const insertContent = 'insert into contents (delivery_id, bytes) values ($1, $2)'

const insertTasks = `
  with input as materialized (
    select * from json_to_recordset($1::json) as input (
      delivery_id bigint, handler text, state text, "nextAt" bigint, "startAt" bigint, key text, order_hash bigint,
      fair_key text, ready boolean, attempt int, attempts_used int, failure_group bigint, failed_at bigint)
  ), ${passesOf('input')}
  insert into tasks (
    delivery_id, handler, state, next_at, start_at, order_key, order_hash, fair_key, pass, attempt, attempts_used,
    failure_group, failed_at)
  select
    delivery_id, handler, state, "nextAt", "startAt", key, order_hash, fair_key, pass, attempt, attempts_used,
    failure_group, failed_at
  from passes`

const updateDurationClass = `update deliveries set duration_class = ${durationClass('$1::bigint')} where id = $1::bigint`

const insertAttempts = `
  insert into attempts (delivery_id, handler, number, started_at, duration, outcome, error, result, log)
  select $1, handler, number, "startedAt", duration, outcome, error, result, log
  from json_to_recordset($2::json) as input (
    handler text, number int, "startedAt" bigint, duration bigint, outcome text, error text, result text, log text)`
