/** Counts, rejected requests and key values. All writes run in the caller's transaction. */

import {
  type Count,
  type CountQuery,
  countRetention,
  hour,
  minute,
  toCountRows,
  totalStep,
} from '../../inbox/counts.ts'
import { maxRejections, type Rejection, type Rejections } from '../../inbox/records.ts'
import { type RejectionRow, toRejection } from '../../inbox/rows.ts'
import { recordset, type Sql } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'

export async function addCounts(transaction: Transaction, added: readonly Count[]): Promise<void> {
  await transaction.run(upsertCounts, recordset(toCountRows(added)))
}

/**
 * Adds up stored counts for each step of the query: the counts of minutes if a step is shorter than an hour, else the
 * counts of hours.
 */
export function counts(sql: Sql, { since, step }: CountQuery): Promise<Count[]> {
  return sql.all<Count>(selectCounts, step, step < hour ? minute : hour, since)
}

export async function deleteOldCounts(transaction: Transaction, now: number): Promise<void> {
  for (const { step, age } of countRetention) {
    await transaction.run('delete from counts where step = $1 and at < $2', step, now - age)
  }
}

export async function recordRejections(transaction: Transaction, rejections: readonly Rejection[]): Promise<void> {
  const rows = rejections.map(({ headers, ...rest }) => ({ ...rest, headers: JSON.stringify(headers) }))
  await transaction.run(insertRejections, recordset(rows))
  await transaction.run(deleteOldestRejections, maxRejections)
}

export async function rejections(sql: Sql): Promise<Rejections> {
  const latest = await sql.all<RejectionRow>(selectRejections, maxRejections)
  const totals = await sql.all<{ code: string; count: number }>(selectRejectionTotals, totalStep)
  return {
    latest: latest.map(toRejection),
    counts: Object.fromEntries(totals.map(({ code, count }) => [code, count])),
  }
}

export async function setValue(transaction: Transaction, name: string, text: string): Promise<void> {
  await transaction.run(upsertValue, name, text)
}

export async function getValue(sql: Sql, name: string): Promise<string | undefined> {
  return (await sql.get<{ text: string }>('select text from key_values where name = $1', name))?.text
}

/**
 * Sets the text of a name if its current text is `expected`, or if it has no text and `expected` is `undefined`. If
 * another transaction is changing the text, waits until that transaction has ended.
 * @returns whether the text was set.
 */
export async function compareAndSet(
  transaction: Transaction,
  name: string,
  expected: string | undefined,
  text: string,
): Promise<boolean> {
  const changed =
    expected === undefined
      ? await transaction.run(insertValue, name, text)
      : await transaction.run(updateValue, name, expected, text)
  return changed > 0
}

/** When the inbox was created. */
export async function createdAt(sql: Sql): Promise<number> {
  return (await sql.get<{ created_at: number }>('select created_at from inbox_info'))?.created_at ?? 0
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

const selectCounts = `
  select at - at % $1::bigint as at, measure, name, outcome, sum(count)::bigint as count
  from counts
  where step = $2 and at >= $3
  group by 1, 2, 3, 4
  order by 1, 2, 3, 4`

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

const upsertValue = `
  insert into key_values (name, text) values ($1, $2)
  on conflict (name) do update set text = excluded.text`

const insertValue = 'insert into key_values (name, text) values ($1, $2) on conflict (name) do nothing'

const updateValue = 'update key_values set text = $3 where name = $1 and text = $2'
