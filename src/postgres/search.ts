import { type PayloadMatch, pageBounds, scanStep } from '../inbox/query/paging.ts'
import type { PathCondition, Query } from '../inbox/query/query.ts'
import type { Page } from '../inbox/records.ts'
import type { SummaryRow } from '../inbox/rows.ts'
import { withAttemptStats } from './attempt-stats.ts'
import { type Conditions, conditionsOf } from './conditions.ts'
import type { Sql } from './connection.ts'
import type { PayloadSearch } from './search-client.ts'

/** Deliveries whose bodies are looked into that are fetched at a time, and bytes of bodies; one body is always taken. */
const [maxBodies, maxBytes] = [250, 1024 * 1024]

/** A delivery that was looked at. */
interface SearchedRow extends SummaryRow {
  /** Whether it is asked for. */
  fits: boolean
  /** Its place among those of its step, from 1 on, and whether it is the last of them. */
  place: number
  last: boolean
}

/**
 * One page. Deliveries are looked at from the newest to the oldest, in steps; a page ends when it is full, when its
 * time is over, or at the oldest delivery, and says how far it came.
 */
export async function list(sql: Sql, query: Query, searching: Pick<PayloadSearch, 'matches'>): Promise<Page> {
  const { paths = [] } = query
  const { most, ms } = pageBounds(query)
  const end = performance.now() + ms
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
    const wanted = paths.length > 0 ? maxBodies : most - found.length
    const rows = await sql.all<SearchedRow>(selectStep(conditions), ...conditions.values, wanted)
    const fitting = rows.filter(({ fits }) => fits)
    const looked =
      paths.length > 0 ? searchPayloads(sql, fitting, paths, searching) : fitting.map((row) => [row, 'yes'] as const)
    for await (const [row, matches] of looked) {
      if (matches === 'yes') found.push(row)
      if (matches === 'too large') tooLarge++
      const over = paths.length > 0 && performance.now() > end
      if (found.length < most && !over) continue
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

/** Of all deliveries, since ids are given out one after the other; some of them may be gone. */
async function countOlder(sql: Sql, id: number): Promise<number> {
  const oldest = await sql.get<{ id: number | null }>('select min(id) as id from deliveries')
  return Math.max(0, id - (oldest?.id ?? id))
}

/** Whether they have what is looked for in payloads: some bodies at a time, so that few are read in vain. */
async function* searchPayloads(
  sql: Sql,
  rows: readonly SearchedRow[],
  paths: readonly PathCondition[],
  searching: Pick<PayloadSearch, 'matches'>,
): AsyncGenerator<readonly [SearchedRow, PayloadMatch]> {
  for (let left = rows; left.length > 0; ) {
    const some = left.slice(0, countWithin(left, maxBytes))
    left = left.slice(some.length)
    const ids = some.map(({ id }) => id)
    const kept = await sql.all<{ id: number; bytes: Uint8Array }>(selectContents, ids)
    const bytesOf = new Map(kept.map(({ id, bytes }) => [id, bytes]))
    // What was deleted meanwhile has nothing.
    const there = some.filter(({ id }) => bytesOf.has(id))
    const contents = there.map(({ id, headers_size, size, form }) => ({
      bytes: bytesOf.get(id) as Uint8Array,
      headers_size,
      size,
      form,
    }))
    const answers = await searching.matches(contents, paths)
    const found = new Map(there.map((row, index) => [row, answers[index]]))
    for (const row of some) yield [row, found.get(row) ?? 'no']
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
 * Those of the next step that fit, and the last one in any case, by which it is known how far the step went. PostgreSQL
 * hands them on as it comes to them, and stops when there are enough.
 */
const selectStep = ({ source, rest, values }: Conditions) => `
  select *, ${rest} as fits
  from (
    select *, row_number() over () as place, lead(id) over () is null as last
    from (
      select id, variant, source, hook_id, guid, event, state, next_at, received_at, headers_size, size, form, recovered,
             duplicates, replayed, action, repository, sender, title, ref, sha, number, edited_from
      from deliveries
      where ${source.where}
      order by ${source.order}
      limit ${scanStep}) as step
  ) as looked
  where last or (${rest})
  limit $${values.length + 1}`

const selectContents = 'select delivery_id as id, bytes from contents where delivery_id = any($1::bigint[])'
