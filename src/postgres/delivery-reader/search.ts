import { pageBounds, scanStep } from '../../inbox/query/paging.ts'
import type { PayloadMatch } from '../../inbox/query/payload-search.ts'
import type { PathCondition, Query } from '../../inbox/query/query.ts'
import type { Page } from '../../inbox/records.ts'
import type { SummaryRow } from '../../inbox/rows.ts'
import { idsOf, type Sql } from '../connection/connection.ts'
import { type ContentRow, contentColumns, packOf, withPacks } from '../delivery-store/contents.ts'
import type { PayloadSearch } from '../threads.ts'
import { summaryColumns, withAttemptStats } from './attempt-stats.ts'
import { type Conditions, conditionsOf } from './conditions.ts'

/**
 * Maximum payloads that one scan step searches, and maximum bytes of the bodies that it reads at a time. If a body is
 * larger, the step reads it alone.
 */
const [maxBodies, maxBytes] = [250, 1024 * 1024]

/** A delivery of a scan step. */
interface SearchedRow extends SummaryRow {
  /** Whether the delivery meets the conditions. */
  fits: boolean
  /** The position of the delivery in the step, counted from 1. */
  place: number
  /** Whether the delivery is the last one of the step. */
  last: boolean
}

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
  let before = Math.min(Math.ceil(query.before ?? Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)

  const page = async (next: number | undefined): Promise<Page> => {
    const left = next === undefined ? 0 : await countOlder(sql, next)
    return { deliveries: await withAttemptStats(sql, found), next, scanned, left, ...(tooLarge > 0 && { tooLarge }) }
  }
  for (;;) {
    const conditions = conditionsOf(query, before)
    const wanted = paths.length > 0 ? maxBodies : limit - found.length
    const rows = await sql.all<SearchedRow>(selectStep(conditions), ...conditions.values, wanted)
    const fitting = rows.filter(({ fits }) => fits)
    const searched =
      paths.length > 0 ? searchPayloads(sql, fitting, paths, searching) : fitting.map((row) => [row, 'yes'] as const)
    for await (const [row, matches] of searched) {
      if (matches === 'yes') found.push(row)
      if (matches === 'too large') tooLarge++
      const over = paths.length > 0 && performance.now() > end
      if (found.length < limit && !over) continue
      scanned += row.place
      return page(row.id)
    }
    const oldest = rows.at(-1)
    scanned += oldest?.place ?? 0
    if (!oldest || (oldest.last && oldest.place < scanStep)) return page(undefined)
    before = oldest.id
    if (performance.now() > end) return page(before)
  }
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
  rows: readonly SearchedRow[],
  paths: readonly PathCondition[],
  searching: Pick<PayloadSearch, 'matches'>,
): AsyncGenerator<readonly [SearchedRow, PayloadMatch]> {
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

function countWithin(rows: readonly SearchedRow[], bytes: number): number {
  let left = bytes
  const end = rows.findIndex(({ size }, index) => {
    left -= size
    return left < 0 && index > 0
  })
  return end < 0 ? rows.length : end
}

/**
 * The rows of the next step that meet the conditions, and the last row of the step, which tells how far the step went.
 */
const selectStep = ({ source, rest, values }: Conditions) => `
  select *, ${rest} as fits
  from (
    select *, row_number() over () as place, lead(id) over () is null as last
    from (
      select ${summaryColumns}
      from deliveries
      where ${source.where}
      order by ${source.order}
      limit ${scanStep}) as step
  ) as scanned
  where last or (${rest})
  limit $${values.length + 1}`

const selectContents = `
  select deliveries.id, form, ${contentColumns('deliveries')}
  from deliveries left join contents on contents.delivery_id = ${packOf('deliveries')}
  where deliveries.id = any($1::bigint[])
  order by deliveries.id`
