import { matchesPaths, type Query } from '../inbox/query.ts'
import type { DeliverySummary, Page } from '../inbox/records.ts'
import { type Condition, conditionsOf } from './conditions.ts'
import type { Connection } from './connection.ts'
import { unpack } from './packs.ts'
import { type DeliveryRow, summaryOf } from './rows.ts'

/** Deliveries in a page. */
const [defaultLimit, mostLimit] = [50, 500]
/** Milliseconds. */
const [defaultBudget, mostBudget] = [30, 1000]
/** Conditions that a query may have: each costs, for every delivery that is looked at. */
const mostConditions = 20

/** Deliveries that are looked at between two looks at the clock. */
const step = 2000

/**
 * One page. Deliveries are looked at from the newest to the oldest, in steps; a page ends when it is full, when its
 * time is over, or at the oldest delivery, and says how far it came.
 */
export function list(connection: Connection, query: Query): Page {
  const { limit, budget, words = [], paths = [] } = query
  if (words.length + paths.length > mostConditions) {
    throw new RangeError(`A query may have ${mostConditions} words and paths, and not ${words.length + paths.length}`)
  }
  const most = within(limit, defaultLimit, mostLimit)
  const end = performance.now() + within(budget, defaultBudget, mostBudget)
  const [driver, rest] = conditionsOf(query)
  const conditions = [...driver, ...rest]
  const deliveries: DeliverySummary[] = []
  let scanned = 0
  let before = query.before ?? Number.MAX_SAFE_INTEGER

  const page = (next: number | undefined): Page => {
    return { deliveries, next, scanned, left: next === undefined ? 0 : countOlder(connection, next) }
  }
  for (;;) {
    const looked = connection.all<{ id: number }>(selectStep(driver), ...valuesOf(driver), before, step)
    const oldest = looked.at(-1)
    if (!oldest) return page(undefined)
    for (const row of connection.each<DeliveryRow>(
      selectRows(conditions, query.guid !== undefined),
      ...valuesOf(conditions),
      oldest.id,
      before,
    )) {
      if (matchesPaths(paths.length > 0 ? payloadOf(connection, row) : undefined, paths)) {
        deliveries.push(summaryOf(row))
      }
      const over = paths.length > 0 && performance.now() > end
      if (deliveries.length < most && !over) continue
      scanned += looked.findIndex(({ id }) => id === row.id) + 1
      return page(row.id)
    }
    scanned += looked.length
    before = oldest.id
    if (looked.length < step) return page(undefined)
    if (performance.now() > end) return page(before)
  }
}

/** A whole number from 1 on; whatever is none counts as not given. */
function within(given: number | undefined, usual: number, most: number): number {
  return given !== undefined && given >= 1 ? Math.min(Math.floor(given), most) : usual
}

/** Of all deliveries, since ids are given out one after the other; some of them may be gone. */
function countOlder(connection: Connection, id: number): number {
  const oldest = connection.get<{ id: number | null }>('select min(id) as id from deliveries')?.id
  return Math.max(0, id - (oldest ?? id))
}

/** What does not parse has no members. */
function payloadOf(connection: Connection, row: DeliveryRow): unknown {
  try {
    const text = new TextDecoder().decode(unpack(connection, row).body)
    return JSON.parse(row.form === 'json' ? text : (new URLSearchParams(text).get('payload') ?? ''))
  } catch {
    return undefined
  }
}

const valuesOf = (conditions: readonly Condition[]) => conditions.flatMap(({ values }) => values)

const all = (conditions: readonly Condition[]) => conditions.map(({ sql }) => `${sql} and `).join('')

const selectStep = (driver: readonly Condition[]) => `
  select id from deliveries
  where ${all(driver)} id < ?
  order by id desc
  limit ?`

/** Of a GUID there are few: a plus keeps SQLite from going through all ids between them instead. */
const selectRows = (conditions: readonly Condition[], few: boolean) => `
  select * from deliveries
  where ${all(conditions)} ${few ? '+' : ''}id >= ? and ${few ? '+' : ''}id < ?
  order by id desc`
