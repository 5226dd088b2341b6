/** Counts and rejected requests. All writes run in the caller's transaction. */
import {
  type Count,
  type CountQuery,
  countRetention,
  measures,
  stepsOf,
  storedStep,
  toCountRows,
  totalStep,
} from '../../inbox/counts.ts'
import { maxRejections, type OldTransaction, type Rejection, type Rejections } from '../../inbox/records.ts'
import { type RejectionRow, toRejection } from '../../inbox/rows.ts'
import { minute } from '../../runtime/units.ts'
import { recordset, type Sql } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'

export async function addCounts(transaction: Transaction, added: readonly Count[]): Promise<void> {
  await transaction.run(upsertCounts, recordset(toCountRows(added)))
}

/**
 * Adds up stored counts for each step of the query: the counts of minutes if a step is shorter than an hour, else the
 * counts of hours.
 */
export function counts(sql: Sql, query: CountQuery): Promise<Count[]> {
  const { since, step, measures: chosen = measures, names, sumNames = false, sumSteps = false } = query
  const input = [step, storedStep(step), since, chosen, sumNames, sumSteps]
  if (!names) return sql.all<Count>(selectCounts, ...input)
  return sql.all<Count>(selectCountsOfNames, ...input, names, stepsOf(query, Date.now()))
}

export async function deleteOldCounts(transaction: Transaction, now: number): Promise<void> {
  for (const { step, age } of countRetention) {
    await transaction.run(deleteCounts, step, now - age, measures)
  }
}

export async function recordRejections(transaction: Transaction, rejections: readonly Rejection[]): Promise<void> {
  const rows = rejections.map(({ headers, ...rest }) => ({ ...rest, headers: JSON.stringify(headers) }))
  await transaction.run(insertRejections, recordset(rows))
  await transaction.run(deleteOldestRejections, maxRejections)
}

/**
 * The oldest transaction in this database that has been open for `minAge` milliseconds, and keeps PostgreSQL from
 * removing rows that were deleted since it began. Finds only the transactions of this user, unless the user is a member
 * of `pg_read_all_stats`.
 */
export function oldTransaction(sql: Pick<Sql, 'get'>, minAge = minute): Promise<OldTransaction | undefined> {
  return sql.get(selectOldTransaction, minAge)
}

export async function rejections(sql: Sql): Promise<Rejections> {
  const latest = await sql.all<RejectionRow>(selectRejections, maxRejections)
  const totals = await sql.all<{ code: string; count: number }>(selectRejectionTotals, totalStep)
  return {
    latest: latest.map(toRejection),
    counts: Object.fromEntries(totals.map(({ code, count }) => [code, count])),
  }
}

/**
 * Adds up first, because an upsert cannot change a row twice. Sorts, so that no two transactions wait for each other.
 */
const upsertCounts = `
  insert into counts (step, at, measure, name, outcome, count)
  select step, at, measure, name, outcome, sum(count)
  from json_to_recordset($1::json) as input (step int, at bigint, measure text, name text, outcome text, count bigint)
  group by 1, 2, 3, 4, 5
  order by 1, 2, 3, 4, 5
  on conflict (step, at, measure, name, outcome) do update set count = counts.count + excluded.count`

const sumCounts = `
  select case when $6::boolean then $3::bigint else at - at % $1::bigint end as at, measure,
         case when $5::boolean then '' else name end as name, outcome, sum(count)::bigint as count
  from counts`

const selectCounts = `${sumCounts}
  where step = $2 and at >= $3 and measure = any($4::text[])
  group by 1, 2, 3, 4
  order by 1, 2, 3, 4`

const selectCountsOfNames = `${sumCounts}
  join unnest($4::text[]) as measured (measure) using (measure)
  join unnest($7::text[]) as named (name) using (name)
  join unnest($8::bigint[]) as begun (at) using (at)
  where step = $2
  group by 1, 2, 3, 4
  order by 1, 2, 3, 4`

const deleteCounts = 'delete from counts where step = $1 and at < $2 and measure = any($3::text[])'

const insertRejections = `
  insert into rejections (at, code, status, reason, source, address, event, guid, headers)
  select at, code, status, reason, source, address, event, guid, headers
  from json_to_recordset($1::json) as input (
    at bigint, code text, status int, reason text, source text, address text, event text, guid text, headers text)`

const deleteOldestRejections = `
  delete from rejections where id <= (select id from rejections order by id desc offset $1 limit 1)`

const selectRejections = `
  select at, code, status, reason, source, address, event, guid, headers
  from rejections
  order by id desc
  limit $1`

const selectRejectionTotals = `select name as code, count from counts where step = $1 and measure = 'rejected'`

/** A vacuum does not keep other vacuums from removing rows. */
const selectOldTransaction = `
  select pid, coalesce(usename, '') as "user", coalesce(application_name, '') as application,
         floor(extract(epoch from clock_timestamp() - xact_start) * 1000)::float8 as age
  from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid()
    and (backend_xid is not null or backend_xmin is not null)
    and xact_start <= clock_timestamp() - $1 * interval '1 ms'
    and pid not in (select pid from pg_stat_progress_vacuum)
  order by xact_start
  limit 1`
