import { heapLimit, parsedSizeLimit } from '../../inbox/parsed-size.ts'
import { pageBounds, scanStep } from '../../inbox/query/paging.ts'
import { matchPayload, type PayloadMatch } from '../../inbox/query/payload-search.ts'
import type { Query } from '../../inbox/query/query.ts'
import type { Page } from '../../inbox/records.ts'
import type { DeliveryRow } from '../../inbox/rows.ts'
import type { Connection } from '../connection/connection.ts'
import { type Place, unpack } from '../delivery-store/packs.ts'
import { withAttemptStats } from './attempt-stats.ts'
import { type Condition, conditionsOf } from './conditions.ts'

/**
 * One page of deliveries. Scans deliveries from the newest to the oldest, in steps. A page ends when it is full, when
 * its time is up, or after the oldest delivery. If there may be older deliveries, `next` says where the next page
 * starts.
 */
export function list(connection: Connection, query: Query): Page {
  const { paths = [] } = query
  const { limit, budget } = pageBounds(query)
  const end = performance.now() + budget
  const [driver, rest] = conditionsOf(query)
  const conditions = [...driver, ...rest]
  const found: DeliveryRow[] = []
  let scanned = 0
  let tooLarge = 0
  let before = query.before ?? Number.MAX_SAFE_INTEGER

  const page = (next: number | undefined): Page => {
    const left = next === undefined ? 0 : countOlder(connection, next)
    return { deliveries: withAttemptStats(connection, found), next, scanned, left, ...(tooLarge > 0 && { tooLarge }) }
  }
  const maxParsedSize = parsedSizeLimit(heapLimit())
  const matchOf = (row: DeliveryRow & Place): PayloadMatch => {
    if (paths.length === 0) return 'yes'
    return matchPayload({ form: row.form, body: () => unpack(connection, row).body }, paths, maxParsedSize)
  }
  for (;;) {
    const step = connection.all<{ id: number }>(selectStep(driver), ...valuesOf(driver), before, scanStep)
    const oldest = step.at(-1)
    if (!oldest) return page(undefined)
    const rowsOfStep = selectRows(conditions, query.guid !== undefined)
    const rows = connection.each<DeliveryRow & Place>(rowsOfStep, ...valuesOf(conditions), oldest.id, before)
    for (const row of rows) {
      const match = matchOf(row)
      if (match === 'yes') found.push(row)
      if (match === 'too large') tooLarge++
      const over = paths.length > 0 && performance.now() > end
      if (found.length < limit && !over) continue
      scanned += step.findIndex(({ id }) => id === row.id) + 1
      return page(row.id)
    }
    scanned += step.length
    before = oldest.id
    if (step.length < scanStep) return page(undefined)
    if (performance.now() > end) return page(before)
  }
}

/** How many deliveries have a lower id. An upper bound, because some deliveries may have been deleted. */
function countOlder(connection: Connection, id: number): number {
  const oldest = connection.get<{ id: number | null }>('select min(id) as id from deliveries')?.id
  return Math.max(0, id - (oldest ?? id))
}

const valuesOf = (conditions: readonly Condition[]) => conditions.flatMap(({ values }) => values)

const all = (conditions: readonly Condition[]) => conditions.map(({ sql }) => `${sql} and `).join('')

const selectStep = (driver: readonly Condition[]) =>
  `select id from deliveries where ${all(driver)} id < ? order by id desc limit ?`

/** If few rows meet the conditions, as with a GUID, a plus keeps SQLite from scanning the whole range of ids. */
const selectRows = (conditions: readonly Condition[], few: boolean) => `
  select * from deliveries
  where ${all(conditions)} ${few ? '+' : ''}id >= ? and ${few ? '+' : ''}id < ?
  order by id desc`
