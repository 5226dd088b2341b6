import { identitiesOf } from '../../inbox/identity.ts'
import { hasNumber } from '../../inbox/normalize-error.ts'
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
import type { PayloadMatch } from '../../inbox/query/payload-search.ts'
import { type Expression, expressionsOf, type PathCondition, type Query } from '../../inbox/query/query.ts'
import { maxValues } from '../../inbox/query/values.ts'
import type { Page } from '../../inbox/records.ts'
import type { SummaryRow } from '../../inbox/rows.ts'
import { getOrCreate } from '../../runtime/get-or-create.ts'
import { idsOf, type Sql } from '../connection/connection.ts'
import { type ContentRow, contentColumns, withPacks } from '../delivery-store/contents.ts'
import type { PayloadSearch } from '../threads.ts'
import { summaryColumns, withAttemptStats } from './attempt-stats.ts'
import { conditionsOf, contains, hasReplaced, rangeOf } from './conditions.ts'
import { valuesInOrder } from './read.ts'
import { runningIds, selectRunning } from './states.ts'

/**
 * Maximum payloads that one scan step searches, and maximum bytes of the bodies that it reads at a time. If a body is
 * larger, the step reads it alone.
 */
const [maxBodies, maxBytes] = [250, 1024 * 1024]

interface SearchedContent extends ContentRow {
  id: number
  form: 'json' | 'form'
}

/**
 * One page of deliveries. Scans deliveries from the newest to the oldest, in steps, until the page is full, its time is
 * up, or no delivery is left. If there may be older deliveries, `next` says where the next page starts.
 */
export async function list(sql: Sql, query: Query, searching: Pick<PayloadSearch, 'matches'>): Promise<Page> {
  const { paths = [] } = query
  const { limit, budget } = pageBounds(query)
  const end = performance.now() + budget
  const found: SummaryRow[] = []
  let scanned = 0
  let tooLarge = 0
  let before = firstId(query)
  const { rest, nextStep } = await sourceOf(sql, query, before)
  const values: unknown[] = []
  const conditions = conditionsOf(rest, query, (value) => `$${values.push(value) + 2}`)
  const size = conditions.length === 0 && paths.length === 0 ? limit : stepSize(rest)

  const page = async (next: number | undefined): Promise<Page> => {
    const left = next === undefined ? 0 : await countOlder(sql, next)
    return { deliveries: await withAttemptStats(sql, found), next, scanned, left, ...(tooLarge > 0 && { tooLarge }) }
  }
  for (;;) {
    const { ids, reached } = await nextStep(before, size)
    const most = paths.length > 0 ? maxBodies : limit - found.length
    const rows = ids.length === 0 ? [] : await sql.all<SummaryRow>(selectRows(conditions), ids, most, ...values)
    const searched =
      paths.length > 0 ? searchPayloads(sql, rows, paths, searching) : rows.map((row) => [row, 'yes'] as const)
    for await (const [row, matches] of searched) {
      if (matches === 'yes') found.push(row)
      if (matches === 'too large') tooLarge++
      const over = paths.length > 0 && performance.now() > end
      if (found.length < limit && !over) continue
      scanned += ids.indexOf(row.id) + 1
      return page(row.id)
    }
    const last = rows.length === most ? rows.at(-1) : undefined // the step may have more rows
    scanned += last ? ids.indexOf(last.id) + 1 : ids.length
    before = last?.id ?? reached
    if (before === 0) return page(undefined)
    if (performance.now() > end) return page(before)
  }
}

/** A search examines the deliveries with smaller ids than this. */
export const firstId = ({ before = Number.MAX_SAFE_INTEGER }: Query): number =>
  Math.min(Math.ceil(before), Number.MAX_SAFE_INTEGER)

/** The ids of the deliveries that a search examines, and the conditions that it has to check. */
export interface Source {
  rest: readonly Expression[]
  nextStep(before: number, size: number): Promise<Step>
}

/**
 * The parts of the indexes that contain the fewest deliveries of the query, or all deliveries. Compares the candidates
 * by their first steps: statistics would be out of date when many deliveries have just arrived.
 */
export async function sourceOf(sql: Sql, query: Query, before: number): Promise<Source> {
  const sources: Source[] = []
  /** The values of columns whose values are read all, whatever the prefix. */
  const read = new Map<string, Promise<string[] | undefined>>()
  for (const candidate of candidatesFor(query)) {
    const values = new Map<Lookup, (string | number)[] | undefined>()
    for (const one of candidate.lookups) {
      if ('value' in one) continue
      if ('contains' in one) {
        values.set(one, await groupsWith(sql, one))
        continue
      }
      const key = isSorted(one.column) ? `${one.column} ${one.prefix}` : one.column
      values.set(one, await getOrCreate(read, key, () => valuesIn(sql, one)))
    }
    const branches = branchesOf(candidate, values)
    if (branches) sources.push({ rest: candidate.rest, nextStep: (...place) => stepOf(sql, branches, ...place) })
  }
  const [only] = sources
  if (!only) return { rest: expressionsOf(query), nextStep: (...place) => stepOfAll(sql, ...place) }
  if (sources.length === 1) return only
  const steps: Step[] = []
  for (const { nextStep } of sources) steps.push(await nextStep(before, scanStep))
  return sources[furthest(steps)] as Source
}

const stepOfAll = async (sql: Sql, before: number, size: number): Promise<Step> =>
  mergeIds([idsOf(await sql.all<{ id: number }>(selectIds, before, size))], size)

async function stepOf(sql: Sql, branches: readonly Branch[], before: number, size: number): Promise<Step> {
  const limit = idsPerBranch(branches.length, size)
  const merged: number[][] = []
  for (const [index, values] of Map.groupBy(branches, indexOf)) {
    const keys = values.map(({ value }) => value)
    const parameters = index === 'guid' ? identityRangesOf(keys) : [keys]
    const rows = await sql.all<BranchRow>(selectIdsBy(index), ...parameters, before, limit)
    const byBranch = Map.groupBy(rows, ({ branch }) => branch)
    merged.push(...[...byBranch.values()].map(idsOf))
  }
  return mergeIds(merged, limit)
}

interface BranchRow {
  id: number
  branch: number
}

function identityRangesOf(guids: readonly (string | number)[]): [first: Uint8Array[], last: Uint8Array[]] {
  const ranges = guids.map((guid) => identitiesOf(String(guid)))
  return [ranges.map(([first]) => first), ranges.map(([, last]) => last)]
}

/** Whether the index of a column is in the order of `like`, so that a prefix is a range of it. */
const isSorted = (column: string): boolean => column === 'sha' || column === 'ref'

/** The values of an index in a range; `undefined` if there are too many. Without such an order, all values. */
async function valuesIn(sql: Sql, { column, prefix }: ValueRange): Promise<string[] | undefined> {
  const max = isSorted(column) ? maxBranches : maxValues
  const rows = isSorted(column)
    ? await sql.all<{ value: string }>(selectValuesFrom(column), prefix, max + 1)
    : await sql.all<{ value: string }>(valuesInOrder(column, max + 1))
  return rows.length > max ? undefined : rows.map(({ value }) => value)
}

/** The failure groups with an error; `undefined` if there are too many. */
async function groupsWith(sql: Sql, { contains }: ErrorText): Promise<number[] | undefined> {
  const rows = await sql.all<{ id: number }>(selectGroupsWith(contains), likePattern(contains), maxBranches + 1)
  return rows.length > maxBranches ? undefined : idsOf(rows)
}

/**
 * How many deliveries have a lower id. An upper bound, because ids have gaps and some deliveries may have been deleted.
 */
async function countOlder(sql: Sql, id: number): Promise<number> {
  const oldest = await sql.get<{ id: number | null }>('select min(id) as id from deliveries')
  return Math.max(0, id - (oldest?.id ?? id))
}

/** Searches payloads, a few bodies at a time, so that few are read unnecessarily when the page ends. */
async function* searchPayloads(
  sql: Sql,
  rows: readonly SummaryRow[],
  paths: readonly PathCondition[],
  searching: Pick<PayloadSearch, 'matches'>,
): AsyncGenerator<readonly [SummaryRow, PayloadMatch]> {
  for (let left = rows; left.length > 0; ) {
    const some = left.slice(0, countWithin(left, maxBytes))
    left = left.slice(some.length)
    const kept = withPacks(await sql.all<SearchedContent>(selectContents, idsOf(some))).filter(({ bytes }) => bytes)
    const contents = kept.map(({ bytes, start, headers_size, size, form }) => {
      return { bytes: bytes as Uint8Array, start, headers_size, size, form }
    })
    const answers = await searching.matches(contents, paths)
    const found = new Map(kept.map(({ id }, index) => [id, answers[index]]))
    for (const row of some) yield [row, found.get(row.id) ?? 'no'] // 'no': it or its content was deleted
  }
}

function countWithin(rows: readonly SummaryRow[], bytes: number): number {
  let left = bytes
  const end = rows.findIndex(({ size }, index) => {
    left -= size
    return left < 0 && index > 0
  })
  return end < 0 ? rows.length : end
}

const selectIds = 'select id from deliveries where id < $1 order by id desc limit $2'

/**
 * The key of an index. Those of SHA and ref sort by bytes, so the values that begin with a prefix are together. Other
 * indexes sort as the database does, where values with the same beginning need not be together.
 */
function keyOf(column: string): string {
  if (column === 'failure_group') return '(failure_group + 0)'
  return isSorted(column) ? `${column} collate "C"` : column
}

/** The index that has the ids of a branch: that of a column, or that of the running tasks. */
const indexOf = ({ column, value }: Branch): IndexedColumn | 'running' =>
  column === 'state' && value === 'running' ? 'running' : column

function selectIdsBy(index: ReturnType<typeof indexOf>): string {
  if (index === 'guid') return selectIdsOfGuids
  return index === 'running' ? selectIdsOfRunning : selectIdsWith(index)
}

/** The ids of each value, in the order of the index. */
function selectIdsWith(column: Exclude<IndexedColumn, 'guid'>): string {
  const isText = !['number', 'failure_group', 'duration_class'].includes(column)
  const [table, id] = column === 'failure_group' ? ['tasks', 'delivery_id'] : ['deliveries', 'id']
  return `
    select step.id, branch
    from unnest($1::${isText ? 'text' : 'bigint'}[]) with ordinality as input (value, branch), lateral (
      select ${id} as id from ${table}
      where ${rangeOf(keyOf(column), 'input.value', '$2::bigint - 1', id)} and ${column} is not null
        ${column === 'state' ? `and id not in (${runningIds})` : ''}
      order by ${keyOf(column)} desc, ${id} desc
      limit $3) as step`
}

/**
 * Reads all failure groups, also those that were resolved in the last 30 days. For `exists`, PostgreSQL might read all
 * failed tasks.
 */
const selectGroupsWith = (text: string) => `
  select id from failure_groups
  where (${contains('error', '$1::text')} ${hasNumber(text) ? `or ${hasReplaced('error')}` : ''})
    and (select true from tasks where failure_group = failure_groups.id limit 1)
  limit $2`

/** There is one branch: `$1` contains only the value `running`. */
const selectIdsOfRunning = `
  with running as materialized (${selectRunning})
  select distinct delivery_id as id, cardinality($1::text[]) as branch
  from running
  where delivery_id < $2
  order by delivery_id desc
  limit $3`

/** No index has the order `id + 0`, so PostgreSQL finds the few deliveries of a GUID by identity, and sorts them. */
const selectIdsOfGuids = `
  select step.id, branch
  from unnest($1::bytea[], $2::bytea[]) with ordinality as input (first, last, branch), lateral (
    select id from deliveries
    where identity between input.first and input.last and id < $3
    order by id + 0 desc
    limit $4) as step`

/** One seek in the index for each value, and one for the first value that does not begin with the prefix. */
const selectValuesFrom = (column: string) => `
  with recursive known as (
    (select ${column} as value from deliveries
     where ${column} is not null and ${keyOf(column)} >= $1::text
     order by ${keyOf(column)}, id
     limit 1)
    union all
    select next.value
    from known, lateral (
      select ${column} as value from deliveries
      where ${column} is not null and ${keyOf(column)} > known.value
      order by ${keyOf(column)}, id
      limit 1) as next
    where starts_with(known.value, $1::text)
  )
  select value from known where starts_with(value, $1::text) limit $2`

/** The rows of a step that meet the conditions. The parameters `$1` and `$2` are the ids and the maximum rows. */
const selectRows = (conditions: readonly string[]) => `
  select ${summaryColumns}
  from deliveries
  where id = any($1::bigint[]) ${conditions.map((one) => `and ${one}`).join(' ')}
  order by id desc
  limit $2`

const selectContents = `
  select deliveries.id, form, ${contentColumns('deliveries')}
  from deliveries
  where deliveries.id = any($1::bigint[])
  order by deliveries.id`
