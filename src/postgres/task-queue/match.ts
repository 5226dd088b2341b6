import {
  findReplays,
  lacksHandlers,
  type MatchDecision,
  matchTasks,
  type NewTask,
  withOtherPrograms,
} from '../../inbox/match-tasks.ts'
import type { ClaimedTask, DecideMatches, Match, MatchedTask, MatchOffer, MatchResult } from '../../inbox/task-queue.ts'
import { countByHandler } from '../../inbox/unhandled-tasks.ts'
import { idsOf, recordset, type Sql } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'
import { decodeStored, type ExistingTaskRow, lockUnmatched, type UnmatchedRow } from '../delivery-reader/read.ts'
import { passesOf } from './fairness.ts'
import { distinctHashes, lockOrderKeys, OrderQueues, orderHash, promoteNext } from './order.ts'
import { expiredLeases, isRegistered, workers } from './workers.ts'

/** The worker that matches, and the time of its claims. */
interface Claimant {
  worker: number
  now: number
}

/**
 * Milliseconds after which a search of the whole index counts as slow. A slow search is repeated after this many times its
 * duration.
 */
const [slowSearch, searchFactor] = [5, 20]

/**
 * Finds unmatched deliveries without reading the index from its beginning each time. While a client keeps an old
 * transaction open, PostgreSQL cannot remove the entries of deliveries that were matched since, and each search would
 * read all of them. So once this takes long, a search begins at the first delivery that the previous search has found.
 * Earlier deliveries can become unmatched: a transaction commits late, another worker gives up, or an operator retries a
 * delivery. They are found by a search of the whole index, which takes at most a twentieth of the time, and which follows
 * if a search finds nothing. With an order, each search is of the whole index, because ordered deliveries are matched in
 * order of receipt. A search for some sources only is of the whole index too.
 */
export class UnmatchedSearch {
  #from = 0
  #nextWholeAt = Number.NEGATIVE_INFINITY

  async lock(transaction: Transaction, offer: MatchOffer): Promise<UnmatchedRow[]> {
    if (offer.sources) return lockUnmatched(transaction, offer)
    if (!offer.ordered && this.#from > 0 && performance.now() < this.#nextWholeAt) {
      const found = this.#note(await lockUnmatched(transaction, offer, this.#from))
      if (found.length > 0) return found
    }
    const begin = performance.now()
    const found = this.#note(await lockUnmatched(transaction, offer))
    const end = performance.now()
    this.#nextWholeAt = end - begin > slowSearch ? end + searchFactor * (end - begin) : end
    return found
  }

  #note(found: UnmatchedRow[]): UnmatchedRow[] {
    this.#from = found[0]?.id ?? 0
    return found
  }
}

interface DecidedMatch extends MatchDecision<ExistingTaskRow> {
  match: Match
  replayed: boolean
  /** Whether the delivery had no tasks before. */
  isNew: boolean
}

/**
 * Matches the oldest unmatched deliveries with handlers, claims new tasks for the worker, and commits. The rows of the
 * deliveries stay locked from the offer to the commit, so no other worker is offered these deliveries. PostgreSQL
 * unlocks the rows if this process dies, or if it leaves the transaction idle for too long.
 *
 * Ordered tasks have to be created in order of receipt, so a worker with ordered handlers also takes an exclusive lock.
 * While another transaction holds the lock, the store offers the worker nothing, and the worker runs tasks instead.
 */
export async function match(
  transaction: Transaction,
  search: UnmatchedSearch,
  worker: number,
  offer: MatchOffer,
  decide: DecideMatches,
): Promise<MatchResult> {
  const [pauses, offered, mayClaim] = await Promise.all([
    transaction.all<{ handler: string }>('select handler from pauses'),
    search.lock(transaction, offer),
    isRegistered(transaction, worker),
  ])
  if (offered.length === 0) return nothing
  const own = new Map((await decide(decodeStored(offered))).map((one) => [one.id, one]))
  const candidates = offered.filter(({ id }) => own.has(id))
  if (candidates.length === 0) return nothing
  if (!mayClaim) throw expiredLeases(worker)
  const matches = await addOtherPrograms(transaction, worker, candidates, own)

  const hashes = orderHashesOf(candidates, matches)
  const [ready, , queues] = await Promise.all([
    withoutOutOfOrder(transaction, candidates, matches, offer.sources),
    lockOrderKeys(transaction, hashes),
    OrderQueues.of(transaction, hashes),
  ])
  if (ready.length === 0) return nothing
  const paused = new Set(pauses.map(({ handler }) => handler))
  const replayed = new Set([...idsOf(ready.filter((row) => row.is_replay)), ...findReplays(ready)])
  const decided = ready.map(({ id, rerun, tasks }): DecidedMatch => {
    const context = { match: matches.get(id) as Match, replayed: replayed.has(id), isNew: !tasks }
    const isFirst = ({ handler, key }: MatchedTask, claims: boolean): boolean => {
      return queues.takeTurn(orderHash(handler, key), id, claims)
    }
    return { ...context, ...matchTasks({ ...context, existing: tasks ?? [], rerun, paused, now: offer.now, isFirst }) }
  })
  return commitMatches(transaction, decided, { worker, now: offer.now })
}

const nothing: MatchResult = { matched: 0, claimed: [] }

/** Adds the existing tasks whose handlers the worker does not know. Reads the workers only if it needs them. */
async function addOtherPrograms(
  transaction: Transaction,
  worker: number,
  deliveries: readonly UnmatchedRow[],
  matches: ReadonlyMap<number, Match>,
): Promise<ReadonlyMap<number, Match>> {
  const matchOf = ({ id }: UnmatchedRow) => matches.get(id) as Match
  if (!deliveries.some((row) => lacksHandlers(matchOf(row), row.tasks ?? []))) return matches
  const all = await workers(transaction)
  return new Map(deliveries.map((row) => [row.id, withOtherPrograms(matchOf(row), row.tasks ?? [], worker, all)]))
}

/** The order hashes of existing and of matched tasks. */
function orderHashesOf(deliveries: readonly UnmatchedRow[], matches: ReadonlyMap<number, Match>): number[] {
  return distinctHashes([
    ...deliveries.flatMap(({ tasks }) => tasks?.map(({ order_hash }) => order_hash) ?? []),
    ...[...matches.values()].flatMap(({ tasks }) => tasks.map(({ handler, key }) => orderHash(handler, key))),
  ])
}

async function commitMatches(
  transaction: Transaction,
  decided: readonly DecidedMatch[],
  claimant: Claimant,
): Promise<MatchResult> {
  const rows = decided.flatMap(({ match, tasks }) => tasks.map((task) => rowOf(match.id, task, claimant)))
  if (rows.some((row) => 'next_at' in row)) transaction.due = true
  const gone = decided.flatMap((one) => one.gone)
  if (gone.length > 0) {
    const [ids, handlers] = [gone.map(({ delivery_id }) => delivery_id), gone.map(({ handler }) => handler)]
    await transaction.run(markTasksGone, ids, handlers)
    await promoteNext(transaction, ids)
  }
  const deliveries = decided.map(({ match, reason, replayed, ...decision }) => {
    return { ...match.summary, id: match.id, ...stateColumnsOf(decision), reason, replayed }
  })
  for (const { id } of deliveries) transaction.changed.add(id)
  const [upserted] = await Promise.all([
    transaction.all<Pick<ClaimedTask, 'id' | 'handler' | 'attempt'>>(
      rows.some(({ ready }) => ready) ? upsertReadyTasks : upsertTasks,
      recordset(rows),
    ),
    transaction.run(updateMatched, recordset(deliveries)),
    forgetMatchAttempts(transaction, idsOf(deliveries)),
    transaction.commit(),
  ])
  const attempts = new Map(upserted.map(({ id, handler, attempt }) => [`${id} ${handler}`, attempt]))
  const claimed = decided.flatMap(({ match: { id }, replayed, tasks }) => {
    return tasks.flatMap(({ handler, key, start }): ClaimedTask[] => {
      const attempt = attempts.get(`${id} ${handler}`) ?? 1
      return start === 'running'
        ? [{ id, handler, attempt, attemptsUsed: 1, replayed, ...(key !== undefined && { ordered: true }) }]
        : []
    })
  })
  const invalid = decided.flatMap(({ match }) => (match.invalid === undefined ? [] : [match.id]))
  return {
    ...{ matched: decided.length, claimed },
    ...(invalid.length > 0 && { invalid }),
    ...(gone.length > 0 && { gone: countByHandler(gone) }),
  }
}

/**
 * The columns `state` and `next_at` of a delivery. At its first match, they assume that the claimed tasks succeed. A success
 * then need not write them.
 */
function stateColumnsOf({ state, nextAt, tasks, isNew }: Omit<DecidedMatch, 'match' | 'reason' | 'replayed'>) {
  if (state !== 'running' || !isNew) return { state, next_at: nextAt }
  return { state: tasks.every(({ start }) => start === 'running') ? 'done' : 'pending' }
}

/** A due task has a time. A running task has a worker. A blocked task has none of these. */
function rowOf(
  id: number,
  { handler, key, fairKey, start, startAt, ahead = false }: NewTask,
  { worker, now }: Claimant,
) {
  const ready = start === 'due' && startAt === undefined && fairKey !== undefined
  const order = { order_key: key, order_hash: orderHash(handler, key), fair_key: fairKey, ready }
  const task = { delivery_id: id, handler, start_at: startAt, ...order }
  if (start === 'running')
    return { ...task, state: 'running', attempt: 1, claimed_ahead: ahead, worker, started_at: now }
  const pending = { ...task, state: 'pending', attempt: 0, claimed_ahead: false }
  return start === 'due' ? { ...pending, next_at: startAt ?? 0 } : pending
}

/**
 * Finds the oldest unmatched delivery that is not in `deliveries`: another worker may be matching it now. Leaves out
 * each delivery that is younger than this one and has ordered tasks, because ordered tasks have to be created in order
 * of receipt.
 */
async function withoutOutOfOrder(
  transaction: Transaction,
  deliveries: readonly UnmatchedRow[],
  matches: ReadonlyMap<number, Match>,
  sources: readonly string[] | undefined,
): Promise<readonly UnmatchedRow[]> {
  const isOrdered = (id: number) => matches.get(id)?.tasks.some(({ key }) => key !== undefined)
  if (!deliveries.some(({ id }) => isOrdered(id))) return deliveries
  const oldest = await transaction.get<{ id: number | null }>(selectOldestOther, idsOf(deliveries), sources ?? null)
  const limit = oldest?.id ?? Number.POSITIVE_INFINITY
  return deliveries.filter(({ id }) => id < limit || !isOrdered(id))
}

/**
 * Makes deliveries unmatched again. The caller has locked their rows.
 * @param rerun Whether handlers that succeeded run again.
 */
export async function rearmDeliveries(transaction: Transaction, ids: readonly number[], rerun: boolean): Promise<void> {
  await transaction.run(updateRearmed, ids, rerun)
  transaction.unmatched = true
  for (const id of ids) transaction.changed.add(id)
}

/** Counts an attempt to parse a payload. @returns the number of attempts, including this one. */
export async function countMatchAttempt(sql: Sql, id: number): Promise<number> {
  return (await sql.get<{ count: number }>(upsertAttempt, id))?.count ?? 1
}

export async function forgetMatchAttempts(sql: Sql, ids: readonly number[]): Promise<void> {
  await sql.run('delete from match_attempts where delivery_id = any($1::bigint[])', ids)
}

const updateMatched = `
  with input as materialized (
    select * from json_to_recordset($1::json) as input (
      id bigint, state text, next_at bigint, reason text, replayed boolean, action text, repository text,
      sender text, title text, ref text, sha text, number bigint)
  )
  update deliveries
  set matched = true, rerun = false, state = input.state, next_at = input.next_at, reason = input.reason,
      replayed = input.replayed, action = input.action, repository = input.repository,
      sender = input.sender, title = input.title, ref = input.ref, sha = input.sha, number = input.number
  from input
  where deliveries.id = input.id and deliveries.id = any(array(select id from input))`

const inputRows = `
  input as materialized (
    select * from json_to_recordset($1::json) as input (
      delivery_id bigint, handler text, state text, next_at bigint, start_at bigint, order_key text, order_hash bigint,
      fair_key text, ready boolean, attempt int, claimed_ahead boolean, worker bigint, started_at bigint)
  )`

/** @param rows The name of a query with the rows of `inputRows`. @param pass The pass of a task. */
const upsert = (rows: string, pass: string): string => `
  insert into tasks (
    delivery_id, handler, state, next_at, start_at, order_key, order_hash, fair_key, pass, attempt, attempts_used,
    claimed_ahead, worker, started_at)
  select
    delivery_id, handler, state, next_at, start_at, order_key, order_hash, fair_key, ${pass}, attempt, attempt,
    claimed_ahead, worker, started_at
  from ${rows}
  on conflict (delivery_id, handler) do update
  set state = excluded.state, next_at = excluded.next_at, start_at = excluded.start_at, delay = null,
      order_key = excluded.order_key, order_hash = excluded.order_hash, fair_key = excluded.fair_key,
      pass = excluded.pass, attempt = tasks.attempt + excluded.attempt, attempts_used = excluded.attempts_used,
      claimed_ahead = excluded.claimed_ahead, uncounted = 0, worker = excluded.worker, started_at = excluded.started_at,
      claimed_after = null
  returning delivery_id as id, handler, attempt`

const upsertTasks = `with ${inputRows} ${upsert('input', '0')}`

/** For a match whose tasks the worker has not all claimed. */
const upsertReadyTasks = `
  with ${inputRows}, ${passesOf('input')}
  ${upsert('passes', 'pass')}`

const markTasksGone = `
  update tasks set state = 'gone', next_at = null, delay = null, failure_group = null, failed_at = null
  from unnest($1::bigint[], $2::text[]) as input (delivery_id, handler)
  where tasks.delivery_id = input.delivery_id and tasks.handler = input.handler`

const selectOldestOther = `
  select min(id) as id from deliveries
  where not matched and not (id = any($1::bigint[])) and ($2::text[] is null or source = any($2::text[]))`

const updateRearmed = `
  update deliveries
  set state = 'pending', matched = false, next_at = null, reason = null, rerun = $2
  where id = any($1::bigint[])`

const upsertAttempt = `
  insert into match_attempts (delivery_id, count) values ($1, 1)
  on conflict (delivery_id) do update set count = match_attempts.count + 1
  returning count`
