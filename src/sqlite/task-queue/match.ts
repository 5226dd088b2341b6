import { hashKey } from '../../inbox/identity.ts'
import {
  type ExistingTask,
  lacksHandlers,
  matchTasks,
  type NewTask,
  withOtherPrograms,
} from '../../inbox/match-tasks.ts'
import type { ClaimedTask, Match, MatchResult } from '../../inbox/task-queue.ts'
import { countByHandler } from '../../inbox/unhandled-tasks.ts'
import type { Connection } from '../connection/connection.ts'
import { hasSource, sourcesParameter } from '../delivery-reader/conditions.ts'
import { passOfNew } from './fairness.ts'
import { mayBegin, promoteNext } from './order.ts'
import { isSuspect, markGone } from './tasks.ts'
import { ownProcess, workers } from './workers.ts'

interface UnmatchedRow {
  guid: string
  event: string
  sha256: Uint8Array
  rerun: number
  /** Set by the first match. */
  replay_key: number | null
}

interface ExistingTaskRow extends ExistingTask {
  key: string | null
}

export interface RecordedMatches extends MatchResult {
  /** Whether a delivery before these is unmatched. An operator can make an old delivery unmatched again. */
  hasEarlier: boolean
}

/** Records matches in order of receipt, in the transaction of the caller. */
export function recordMatches(
  connection: Connection,
  worker: number,
  matches: readonly Match[],
  now: number,
  sources?: readonly string[],
): RecordedMatches {
  const hasEarlierThan = (id: number) =>
    connection.get(selectEarlier(sources), id, ...sourcesParameter(sources)) !== undefined
  const paused = pausedHandlers(connection)
  const claimed: ClaimedTask[] = []
  const invalid: number[] = []
  const gone: ExistingTaskRow[] = []
  let matched = 0
  const inOrder = [...matches].sort((a, b) => a.id - b.id)
  for (const own of inOrder) {
    const delivery = connection.get<UnmatchedRow>(selectUnmatched, own.id)
    if (!delivery) continue
    const existing = delivery.replay_key === null ? [] : connection.all<ExistingTaskRow>(selectTasks, own.id)
    const match = lacksHandlers(own, existing) ? withOtherPrograms(own, existing, worker, workers(connection)) : own
    const isOrdered = match.tasks.some(({ key }) => key !== undefined)
    if (isOrdered && hasEarlierThan(match.id)) continue // an earlier delivery must be matched first
    const recorded = recordMatch(connection, match, { ...delivery, existing }, { worker, now, paused })
    claimed.push(...recorded.claimed)
    gone.push(...recorded.gone)
    if (match.invalid !== undefined) invalid.push(match.id)
    matched++
  }
  const hasEarlier = hasEarlierThan(inOrder[0]?.id ?? 0)
  return {
    ...{ matched, claimed, hasEarlier },
    ...(invalid.length > 0 && { invalid }),
    ...(gone.length > 0 && { gone: countByHandler(gone) }),
  }
}

/** @returns the tasks that the worker has claimed, and those that have ended as `gone`. */
function recordMatch(
  connection: Connection,
  match: Match,
  { guid, event, sha256, rerun, existing }: UnmatchedRow & { existing: readonly ExistingTaskRow[] },
  { worker, now, paused }: { worker: number; now: number; paused: ReadonlySet<string> },
): { claimed: ClaimedTask[]; gone: readonly ExistingTaskRow[] } {
  const { id } = match
  const replayKey = hashKey(sha256)
  const replayed = connection.get(selectReplay, replayKey, sha256, id, guid, event) !== undefined
  const { state, reason, nextAt, tasks, gone } = matchTasks({
    ...{ match, existing, rerun: rerun === 1, replayed, paused, now },
    isFirst: ({ handler, key }) => mayBegin(connection, id, handler, key),
  })
  const claimed = tasks.flatMap((task): ClaimedTask[] => {
    const { handler, key, start } = task
    const attempt = writeTask(connection, id, task, worker, now)
    return start === 'running'
      ? [{ id, handler, attempt, attemptsUsed: 1, replayed, ...(key !== undefined && { ordered: true }) }]
      : []
  })
  for (const { handler, key } of gone) {
    markGone(connection, id, handler)
    promoteNext(connection, handler, key)
  }
  const { action, repository, sender, title, ref, sha, number } = match.summary
  connection.run(
    updateMatched,
    ...[state, nextAt ?? null, reason ?? null, replayKey, replayed ? 1 : 0],
    ...[action ?? null, repository ?? null, sender ?? null, title ?? null, ref ?? null, sha ?? null, number ?? null],
    id,
  )
  if (match.invalid === undefined) connection.run(deleteAttempts, id)
  else forgetMatchAttempts(connection, id)
  connection.changed.add(id)
  return { claimed, gone }
}

/** Inserts a task, or starts an existing task again. @returns the number of its latest attempt. */
function writeTask(
  connection: Connection,
  id: number,
  { handler, key, fairKey, start, startAt, ahead = false }: NewTask,
  worker: number,
  now: number,
): number {
  const isRunning = start === 'running'
  const attempts = isRunning ? 1 : 0
  const claimedAhead = isRunning && ahead ? 1 : 0
  const isReady = start === 'due' && startAt === undefined && fairKey !== undefined
  const pass = isReady ? passOfNew(connection, handler, fairKey, 'pending') : 0
  const row = connection.get<{ attempt: number }>(
    upsertTask,
    ...[id, handler, isRunning ? 'running' : 'pending', start === 'due' ? (startAt ?? 0) : null, startAt ?? null],
    ...[key ?? null, fairKey ?? null, pass],
    ...[attempts, attempts, claimedAhead, isRunning ? worker : null, isRunning ? now : null],
  )
  return row?.attempt ?? attempts
}

/**
 * Counts an attempt to parse a payload. Several processes may be offered the same delivery, so a lease lets one of them
 * parse it at a time. The lease ends with the workers of its process.
 * @returns the number of attempts, including this one; `undefined` if another process parses the payload.
 */
export function countMatchAttempt(connection: Connection, id: number): number | undefined {
  if (connection.run(takeParsingLease, parsingLease(id), ownProcess) === 0) return undefined
  return connection.get<{ count: number }>(upsertAttempt, id)?.count ?? 1
}

export function forgetMatchAttempts(connection: Connection, id: number): void {
  connection.run(deleteAttempts, id)
  connection.run(deleteParsingLease, parsingLease(id))
}

const parsingLease = (id: number): string => `parse delivery ${id}`

/** Makes a delivery unmatched again. @param rerun Whether handlers that succeeded run again. */
export function rearmDelivery(connection: Connection, id: number, rerun: boolean): void {
  connection.run(updateRearmed, rerun ? 1 : 0, id)
  connection.changed.add(id)
}

export function pausedHandlers(connection: Connection): Set<string> {
  return new Set(connection.all<{ handler: string }>('select handler from pauses').map(({ handler }) => handler))
}

const selectUnmatched = 'select guid, event, sha256, rerun, replay_key from deliveries where id = ? and matched = 0'
const selectEarlier = (sources?: readonly string[]): string =>
  `select 1 from deliveries where matched = 0 and id < ?${hasSource(sources)} limit 1`
const selectReplay = `
  select 1 from deliveries where replay_key = ? and sha256 = ? and id < ? and (guid <> ? or event <> ?) limit 1`

const updateMatched = `
  update deliveries
  set matched = 1, rerun = 0, state = ?, next_at = ?, reason = ?, replay_key = ?, replayed = ?,
      action = ?, repository = ?, sender = ?, title = ?, ref = ?, sha = ?, number = ?
  where id = ?`

const upsertAttempt = `
  insert into match_attempts (delivery_id, count) values (?, 1)
  on conflict (delivery_id) do update set count = count + 1
  returning count`

const deleteAttempts = 'delete from match_attempts where delivery_id = ?'

const takeParsingLease = `
  insert into leases (name, holder, until) values (?, ?, 0)
  on conflict (name) do update set holder = excluded.holder
  where holder = excluded.holder or not exists (select 1 from workers where process = holder)`

const deleteParsingLease = 'delete from leases where name = ?'

const updateRearmed = `
  update deliveries set state = 'pending', matched = 0, next_at = null, reason = null, rerun = ? where id = ?`

const selectTasks = `
  select handler, state, order_key as key, fair_key as fairKey, ${isSuspect} as suspect
  from tasks where delivery_id = ?`

const upsertTask = `
  insert into tasks (
    delivery_id, handler, state, next_at, start_at, order_key, fair_key, pass, attempt, attempts_used, claimed_ahead,
    worker, started_at)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (delivery_id, handler) do update
  set state = excluded.state, next_at = excluded.next_at, start_at = excluded.start_at, delay = null,
      order_key = excluded.order_key, fair_key = excluded.fair_key, pass = excluded.pass,
      attempt = attempt + excluded.attempt, attempts_used = excluded.attempts_used, claimed_ahead = excluded.claimed_ahead,
      uncounted = 0, worker = excluded.worker, started_at = excluded.started_at, claimed_after = null
  returning attempt`
