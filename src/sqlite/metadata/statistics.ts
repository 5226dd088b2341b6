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
export function counts(connection: Connection, query: CountQuery): Count[] {
  const { since, step, measures: chosen = measures, names, sumNames = false, sumSteps = false } = query
  const input = [Number(sumSteps), since, step, Number(sumNames), storedStep(step), JSON.stringify(chosen)]
  if (!names) return connection.all<Count>(selectCounts, ...input, since)
  const steps = stepsOf(query, Date.now())
  return connection.all<Count>(selectCountsOfNames, ...input, JSON.stringify(steps), JSON.stringify(names))
}

export function deleteOldCounts(connection: Connection, now: number): void {
  for (const { step, age } of countRetention) connection.run(deleteCounts, step, now - age, allMeasures)
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

const upsertCount = `
  insert into counts (step, at, measure, name, outcome, count) values (?, ?, ?, ?, ?, ?)
  on conflict (step, at, measure, name, outcome) do update set count = count + excluded.count`

const sumCounts = `
  select iif(?, ?, at - at % ?) as at, measure, iif(?, '', name) as name, outcome, sum(count) as count
  from counts
  where step = ? and measure in (select value from json_each(?))`

const selectCounts = `${sumCounts} and at >= ?
  group by 1, 2, 3, 4
  order by 1, 2, 3, 4`

const selectCountsOfNames = `${sumCounts}
  and at in (select value from json_each(?)) and name in (select value from json_each(?))
  group by 1, 2, 3, 4
  order by 1, 2, 3, 4`

const deleteCounts = `
  delete from counts where step = ? and at < ? and measure in (select value from json_each(?))`

const allMeasures = JSON.stringify(measures)

const insertRejection = `
  insert into rejections (at, code, status, reason, source, address, event, guid, headers)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?)`

const deleteOldestRejections = 'delete from rejections where id <= (select max(id) from rejections) - ?'
const selectRejections = `
  select at, code, status, reason, source, address, event, guid, headers from rejections order by id desc limit ?`
const selectRejectionTotals = `select name as code, count from counts where step = ? and measure = 'rejected'`
