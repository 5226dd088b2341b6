import { hash } from 'node:crypto'
import { hashKey, identityOf } from '../inbox/identity.ts'
import type { ImportedDelivery } from '../inbox/imported-delivery.ts'
import { deliveryStateOf, type TaskDetail, type TaskState } from '../inbox/records.ts'
import { recordset, type Session } from './connection.ts'
import { pack } from './contents.ts'
import type { JobQueue } from './job-queue.ts'
import { orderHash } from './order.ts'
import { addMissingJobs } from './reconcile.ts'

/**
 * Takes in deliveries of another inbox, as they stood there, in the transaction of the caller.
 * @returns How many were not here yet.
 */
export async function importDeliveries(
  session: Session,
  jobs: JobQueue,
  deliveries: readonly ImportedDelivery[],
): Promise<number> {
  const taken: number[] = []
  const ids = await session.all<{ id: number }>(takeIds, deliveries.length) // in order of receipt
  // In the order in which others store them, so that no two transactions wait for each other.
  const identified = deliveries.map((restored, index) => {
    return { restored, id: ids[index]?.id as number, identity: Buffer.from(identityOf(restored.delivery)) }
  })
  for (const { restored, id, identity } of identified.sort((a, b) => Buffer.compare(a.identity, b.identity))) {
    if (await importOne(session, id, identity, restored)) taken.push(id)
  }
  await addMissingJobs(session, jobs, taken)
  return taken.length
}

async function importOne(
  session: Session,
  id: number,
  identity: Buffer,
  { delivery, body }: ImportedDelivery,
): Promise<boolean> {
  const sha256 = hash('sha256', body, 'buffer')
  const known = await session.all<{ sha256: Buffer; variant: number }>(selectKnown, identity)
  if (known.some((one) => one.sha256.equals(sha256))) return false
  const head = new TextEncoder().encode(JSON.stringify(delivery.headers))
  const isPending = delivery.state === 'pending' && delivery.tasks.length === 0 // nobody has matched it with handlers
  const tasks = delivery.tasks.map(taskOf)
  const row = {
    ...delivery,
    ...stateColumns(delivery, tasks),
    variant: known.reduce((next, { variant }) => Math.max(next, variant + 1), 0),
    headers_size: head.length,
    size: body.length,
    matched: !isPending,
    replayKey: hashKey(sha256),
  }
  const inserted = await session.run(insertDelivery, recordset([row]), identity, sha256, id)
  if (inserted === 0) return false // somebody was quicker
  await session.run(insertContent, id, await pack(head, body))
  await session.run(insertTasks, id, recordset(tasks))
  await session.run(insertAttempts, id, recordset(delivery.tasks.flatMap(attemptsOf)))
  session.changed.add(id)
  return true
}

interface Task {
  state: TaskState
  nextAt: number | undefined
}

/** What ran there was cut off: its attempt counts, and it is due at once. */
function taskOf({ handler, key, nextAttemptAt, attempts, ...rest }: TaskDetail): Task {
  const state = rest.state === 'running' ? 'pending' : rest.state
  const task = {
    handler,
    state,
    key,
    nextAt: state === 'pending' || state === 'retrying' ? (nextAttemptAt ?? 0) : undefined,
    order_hash: orderHash(handler, key),
    attempt: Math.max(0, ...attempts.map(({ number }) => number)),
    attempts_used: attempts.filter(({ outcome }) => outcome !== 'released').length,
  }
  return task
}

/** An end stays what it was there; whatever has not ended follows from its tasks. */
function stateColumns({ state }: ImportedDelivery['delivery'], tasks: readonly Task[]): Partial<Task> {
  if (tasks.length === 0 || !['pending', 'running', 'retrying'].includes(state)) return { state: state as TaskState }
  const times = tasks.flatMap((task) => (task.state === 'retrying' && task.nextAt !== undefined ? [task.nextAt] : []))
  const now = deliveryStateOf(tasks.map((task) => task.state))
  return { state: now as TaskState, nextAt: now === 'retrying' ? Math.min(...times) : undefined }
}

function attemptsOf({ handler, attempts }: TaskDetail): object[] {
  return attempts.map(({ outcome, ...attempt }) => {
    return { ...attempt, handler, outcome: outcome === 'running' ? 'cut off' : outcome }
  })
}

const takeIds = `select nextval('delivery_ids') as id from generate_series(1, $1::int)`

const selectKnown = `
  select sha256, variant from deliveries where identity = $1
  union all
  select sha256, variant from tombstones where identity = $1`

/** Each was answered at a time of its own: no transaction has a number below zero, so it is a batch by itself. */
const insertDelivery = `
  with told as materialized (
    select $4::bigint as id, *
    from json_to_recordset($1::json) as told (
      variant int, source text, "hookId" text, guid text, event text, state text, matched boolean, "nextAt" bigint,
      "receivedAt" bigint, "storedAt" bigint, "ackedAt" bigint, "replayKey" bigint, headers_size int, size int, form text,
      address text, "secretId" text, "secretIndex" int, algorithm text, recovered boolean, duplicates int,
      replayed boolean, reason text, action text, repository text, sender text, title text, ref text, sha text,
      number bigint)
  ), answered as (
    insert into acks (batch, at) select -id, "ackedAt" from told where "ackedAt" is not null
  )
  insert into deliveries (
    id, identity, variant, source, hook_id, guid, event, state, matched, next_at, received_at, stored_at, batch,
    sha256, replay_key, headers_size, size, form, address, secret_id, secret_index, algorithm, recovered, duplicates,
    replayed, reason, action, repository, sender, title, ref, sha, number)
  select
    id, $2, variant, source, "hookId", guid, event, state, matched, "nextAt", "receivedAt", "storedAt", -id,
    $3, "replayKey", headers_size, size, form, address, "secretId", "secretIndex", algorithm, recovered, duplicates,
    replayed, reason, action, repository, sender, title, ref, sha, number
  from told
  on conflict (identity, variant) do nothing`

const insertContent = 'insert into contents (delivery_id, bytes) values ($1, $2)'

const insertTasks = `
  insert into tasks (delivery_id, handler, state, next_at, order_key, order_hash, attempt, attempts_used)
  select $1, handler, state, "nextAt", key, order_hash, attempt, attempts_used
  from json_to_recordset($2::json) as told (
    handler text, state text, "nextAt" bigint, key text, order_hash bigint, attempt int, attempts_used int)`

const insertAttempts = `
  insert into attempts (delivery_id, handler, number, started_at, duration, outcome, error, result, log)
  select $1, handler, number, "startedAt", duration, outcome, error, result, log
  from json_to_recordset($2::json) as told (
    handler text, number int, "startedAt" bigint, duration bigint, outcome text, error text, result text, log text)`
