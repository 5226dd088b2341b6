import { identitiesOf } from '../../inbox/identity.ts'
import { hasNumber } from '../../inbox/normalize-error.ts'
import { heapLimit, parsedSizeLimit } from '../../inbox/parsed-size.ts'
import {
  type Branch,
  branchesOf,
  candidatesFor,
  type ErrorText,
  furthest,
  type IndexedColumn,
  idsPerBranch,
  type Lookup,
  maxBranches,
  mergeIds,
  type Step,
  type ValueRange,
} from '../../inbox/query/lookups.ts'
import { likePattern, pageBounds, scanStep, stepSize } from '../../inbox/query/paging.ts'
import { matchPayload, type PayloadMatch } from '../../inbox/query/payload-search.ts'
import { type Expression, expressionsOf, type Query } from '../../inbox/query/query.ts'
import type { Page } from '../../inbox/records.ts'
import type { DeliveryRow } from '../../inbox/rows.ts'
import type { Connection, SqlValue } from '../connection/connection.ts'
import { type Place, unpack } from '../delivery-store/packs.ts'
import { withAttemptStats } from './attempt-stats.ts'
import { type Condition, conditionOf, contains, hasReplaced } from './conditions.ts'

/**
 * One page of deliveries. Scans deliveries from the newest to the oldest, in steps. A page ends when it is full, when
 * its time is up, or after the oldest delivery. If there may be older deliveries, `next` says where the next page
 * starts.
 */
export function list(connection: Connection, query: Query): Page {
  const { paths = [] } = query
  const { limit, budget } = pageBounds(query)
  const end = performance.now() + budget
  const found: DeliveryRow[] = []
  let scanned = 0
  let tooLarge = 0
  let before = query.before ?? Number.MAX_SAFE_INTEGER
  const { rest, nextStep } = sourceOf(connection, query, before)
  const conditions = [...rest.map(conditionOf), ...timesOf(query)]
  const size = conditions.length === 0 && paths.length === 0 ? limit : stepSize(rest)

  const page = (next: number | undefined): Page => {
    const left = next === undefined ? 0 : countOlder(connection, next)
    return { deliveries: withAttemptStats(connection, found), next, scanned, left, ...(tooLarge > 0 && { tooLarge }) }
  }
  const maxParsedSize = parsedSizeLimit(heapLimit())
  const matchOf = (row: DeliveryRow & Place): PayloadMatch => {
    if (paths.length === 0) return 'yes'
    return matchPayload({ form: row.form, body: () => unpack(connection, row).body }, paths, maxParsedSize)
  }
  const values = conditions.flatMap((one) => one.values)
  for (;;) {
    const { ids, reached } = nextStep(before, size)
    const rows = connection.each<DeliveryRow & Place>(selectRows(conditions), JSON.stringify(ids), ...values)
    for (const row of rows) {
      const match = matchOf(row)
      if (match === 'yes') found.push(row)
      if (match === 'too large') tooLarge++
      const over = paths.length > 0 && performance.now() > end
      if (found.length < limit && !over) continue
      scanned += ids.indexOf(row.id) + 1
      return page(row.id)
    }
    scanned += ids.length
    before = reached
    if (reached === 0) return page(undefined)
    if (performance.now() > end) return page(before)
  }
}

/** The ids of the deliveries that a search examines, and the conditions that it has to check. */
export interface Source {
  rest: readonly Expression[]
  nextStep(before: number, size: number): Step
}

/**
 * The parts of the indexes that contain the fewest deliveries of the query, or all deliveries. Compares the candidates
 * by their first steps: statistics would be out of date when many deliveries have just arrived.
 */
export function sourceOf(connection: Connection, query: Query, before: number): Source {
  const sources = candidatesFor(query).flatMap((candidate): Source[] => {
    const values = new Map(candidate.lookups.map((one) => [one, valuesOf(connection, one)]))
    const branches = branchesOf(candidate, values)
    if (!branches) return []
    return [{ rest: candidate.rest, nextStep: (...place) => stepOf(connection, branches, ...place) }]
  })
  if (sources.length === 0) {
    return { rest: expressionsOf(query), nextStep: (...place) => stepOfAll(connection, ...place) }
  }
  const best = sources.length === 1 ? 0 : furthest(sources.map(({ nextStep }) => nextStep(before, scanStep)))
  return sources[best] as Source
}

const stepOfAll = (connection: Connection, before: number, size: number): Step =>
  mergeIds([idsIn(connection, selectIds, before, size)], size)

function stepOf(connection: Connection, branches: readonly Branch[], before: number, size: number): Step {
  const limit = idsPerBranch(branches.length, size)
  const ids = branches.map(({ column, value }) => {
    if (column !== 'guid') return idsIn(connection, selectIdsWith(column), value, before, limit)
    return idsIn(connection, selectIdsOfGuid, ...identitiesOf(String(value)), before, limit)
  })
  return mergeIds(ids, limit)
}

const idsIn = (connection: Connection, sql: string, ...values: SqlValue[]): number[] =>
  connection.all<{ id: number }>(sql, ...values).map(({ id }) => id)

/** The values of an index in a range, or the failure groups with an error; `undefined` if there are too many. */
function valuesOf(connection: Connection, lookup: Lookup): (string | number)[] | undefined {
  if ('value' in lookup) return []
  const [sql, ...parameters]: [string, ...SqlValue[]] =
    'contains' in lookup
      ? [selectGroupsWith(lookup), likePattern(lookup.contains)]
      : [selectValuesFrom(lookup.column), lookup.prefix, [...lookup.prefix].length]
  const values = connection.all<{ value: string | number }>(sql, ...parameters, maxBranches + 1)
  return values.length > maxBranches ? undefined : values.map(({ value }) => value)
}

/** The conditions on the time of receipt. */
export function timesOf({ since, until }: Query): Condition[] {
  return [
    ...(since === undefined ? [] : [{ sql: 'received_at >= ?', values: [since] }]),
    ...(until === undefined ? [] : [{ sql: 'received_at < ?', values: [until] }]),
  ]
}

/** How many deliveries have a lower id. An upper bound, because some deliveries may have been deleted. */
function countOlder(connection: Connection, id: number): number {
  const oldest = connection.get<{ id: number | null }>('select min(id) as id from deliveries')?.id
  return Math.max(0, id - (oldest ?? id))
}

const selectIds = 'select id from deliveries where id < ? order by id desc limit ?'

/** An index has the ids of a value in order, so SQLite sorts nothing. */
function selectIdsWith(column: Exclude<IndexedColumn, 'guid'>): string {
  const [table, id] = column === 'failure_group' ? ['tasks', 'delivery_id'] : ['deliveries', 'id']
  return `select ${id} as id from ${table} where ${column} = ? and ${id} < ? order by ${id} desc limit ?`
}

/** Reads all failure groups, also those that were resolved in the last 30 days. */
const selectGroupsWith = ({ contains: text }: ErrorText) => `
  select id as value from failure_groups
  where (${contains('error')} ${hasNumber(text) ? `or ${hasReplaced('error')}` : ''})
    and exists (select 1 from tasks where failure_group = failure_groups.id)
  limit ?`

/** SQLite sorts the few rows of a GUID. The plus keeps it from scanning the whole range of ids instead. */
const selectIdsOfGuid = `
  select id from deliveries where identity between ? and ? and +id < ? order by id desc limit ?`

/** One seek in the index for each value, and one for the first value that does not begin with the prefix. */
const selectValuesFrom = (column: ValueRange['column']) => `
  with recursive input (prefix, length) as (select ?, ?), known (value) as (
    select (select ${column} from deliveries where ${column} >= prefix order by ${column} limit 1) from input
    union all
    select (select ${column} from deliveries where ${column} > known.value order by ${column} limit 1)
    from known, input
    where substr(known.value, 1, length) = prefix
  )
  select value from known, input where substr(value, 1, length) = prefix limit ?`

/** `cross join` makes SQLite read the rows in the order of the ids, and one by one. */
const selectRows = (conditions: readonly Condition[]) => `
  select deliveries.*
  from (select value from json_each(?)) as step cross join deliveries on deliveries.id = step.value
  where ${conditions.map(({ sql }) => sql).join(' and ') || 'true'}`
