/** The rows that PostgreSQL reads for a query. */
import type { Sql } from '../../src/postgres/connection/connection.ts'
import type { Database } from '../../src/postgres/connection/database.ts'

interface Node {
  'Index Name'?: string
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  Plans?: Node[]
}

/** A read of a table: the index, and the number of rows that PostgreSQL looked at. */
export interface Read {
  table: string
  index: string | undefined
  rows: number
}

function* readsIn(node: Node): Generator<Read> {
  const { 'Relation Name': table, Plans: plans = [] } = node
  const looked =
    node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
  if (table !== undefined) yield { table, index: node['Index Name'], rows: Math.round(looked * node['Actual Loops']) }
  for (const one of plans) yield* readsIn(one)
}

/**
 * Explains each query (`all`, `get`) before it runs.
 * @param reads Receives the reads of the plan.
 * @param mode Whether PostgreSQL plans for the given values (`custom`) or for any values (`generic`).
 */
export function explaining(database: Database, reads: Read[], mode: 'custom' | 'generic' = 'custom'): Sql {
  const explain = async (sql: string, values: unknown[]): Promise<void> => {
    await database.transaction(async (session) => {
      await session.script(`set local plan_cache_mode = force_${mode}_plan`)
      const [row] = await session.all<{ 'QUERY PLAN': { Plan: Node }[] }>(
        `explain (analyze, format json) ${sql}`,
        ...values,
      )
      for (const { Plan } of row?.['QUERY PLAN'] ?? []) reads.push(...readsIn(Plan))
    })
  }
  return {
    async all<T>(sql: string, ...values: unknown[]) {
      await explain(sql, values)
      return database.all<T>(sql, ...values)
    },
    async get<T>(sql: string, ...values: unknown[]) {
      await explain(sql, values)
      return database.get<T>(sql, ...values)
    },
    run: (sql, ...values) => database.run(sql, ...values),
  }
}
