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
import type { Connection } from '../connection/connection.ts'

export function addCounts(connection: Connection, added: readonly Count[]): void {
  for (const { step, at, measure, name, outcome, count } of toCountRows(added)) {
    connection.run(upsertCount, step, at, measure, name, outcome, count)
  }
}

/**
 * Adds up stored counts for each step of the query: the counts of minutes if a step is shorter than an hour, else the
 * counts of hours.
 */
export function counts(connection: Connection, { since, step }: CountQuery): Count[] {
  return connection.all<Count>(selectCounts, step, step < hour ? minute : hour, since)
}

export function deleteOldCounts(connection: Connection, now: number): void {
  for (const { step, age } of countRetention) connection.run(deleteCounts, step, now - age)
}

export function recordRejections(connection: Connection, rejections: readonly Rejection[]): void {
  for (const { at, code, status, reason, source, address, event, guid, headers } of rejections) {
    const optional = [reason ?? null, source, address ?? null, event ?? null, guid ?? null]
    connection.run(insertRejection, at, code, status, ...optional, JSON.stringify(headers))
  }
  connection.run(deleteOldestRejections, maxRejections)
}

export function rejections(connection: Connection): Rejections {
  const latest = connection.all<RejectionRow>(selectRejections, maxRejections).map(toRejection)
  const totals = connection.all<{ code: string; count: number }>(selectRejectionTotals, totalStep)
  return { latest, counts: Object.fromEntries(totals.map(({ code, count }) => [code, count])) }
}

export function setValue(connection: Connection, name: string, text: string): void {
  connection.run('insert or replace into key_values (name, text) values (?, ?)', name, text)
}

export function getValue(connection: Connection, name: string): string | undefined {
  return connection.get<{ text: string }>('select text from key_values where name = ?', name)?.text
}

/**
 * Sets the text of a name if its current text is `expected`, or if it has no text and `expected` is `undefined`.
 * @returns whether the text was set.
 */
export function compareAndSet(
  connection: Connection,
  name: string,
  expected: string | undefined,
  text: string,
): boolean {
  return expected === undefined
    ? connection.run('insert or ignore into key_values (name, text) values (?, ?)', name, text) > 0
    : connection.run('update key_values set text = ? where name = ? and text = ?', text, name, expected) > 0
}

/** When the inbox was created. */
export function createdAt(connection: Connection): number {
  return connection.get<{ created_at: number }>('select created_at from inbox_info')?.created_at ?? 0
}

const upsertCount = `
  insert into counts (step, at, measure, name, outcome, count) values (?, ?, ?, ?, ?, ?)
  on conflict (step, at, measure, name, outcome) do update set count = count + excluded.count`

const selectCounts = `
  select at - at % ? as at, measure, name, outcome, sum(count) as count
  from counts
  where step = ? and at >= ?
  group by 1, measure, name, outcome
  order by 1, measure, name, outcome`

const deleteCounts = 'delete from counts where step = ? and at < ?'
const insertRejection = `
  insert into rejections (at, code, status, reason, source, address, event, guid, headers)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?)`

const deleteOldestRejections = 'delete from rejections where id <= (select max(id) from rejections) - ?'
const selectRejections = `
  select at, code, status, reason, source, address, event, guid, headers from rejections order by id desc limit ?`
const selectRejectionTotals = `select name as code, count from counts where step = ? and measure = 'rejected'`
