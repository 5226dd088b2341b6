import type { Clock } from '../../inbox/inbox.ts'
import { clockTolerance } from '../../inbox/processes.ts'
import type { Sql } from './connection.ts'

/** Milliseconds after which the two clocks are compared again. */
const interval = 10_000

/**
 * The clock of the database, by which the workers of all machines decide when a task is due. It is the clock of this
 * machine, corrected by the difference if the two differ by more than `clockTolerance`. A smaller difference changes
 * nothing, because measuring it would make each time less exact than NTP makes the clocks.
 */
export class DatabaseClock implements Clock {
  readonly #sql: Sql
  /** Milliseconds by which the clock of the database is ahead. */
  #difference = 0
  #comparedAt = performance.now()

  constructor(sql: Sql) {
    this.#sql = sql
  }

  /** Compares the clocks in the background if the latest comparison is too old. */
  now(): number {
    if (performance.now() - this.#comparedAt > interval) {
      this.compare(() => readTime(this.#sql)).catch(() => undefined) // the next statement of the worker fails too
    }
    return Date.now() + this.#difference
  }

  /** Runs a statement that returns `databaseTime` as `now`, and compares the clocks. */
  async compare<Row extends { now: number }>(run: () => Promise<Row>): Promise<Row> {
    const begin = performance.now()
    this.#comparedAt = begin
    const row = await run()
    const elapsed = performance.now() - begin
    // The statement ran at some time in between.
    const difference = row.now - (Date.now() - elapsed / 2)
    this.#difference = Math.abs(difference) > clockTolerance + elapsed / 2 ? Math.round(difference) : 0
    return row
  }
}

/** An SQL expression: when the transaction began, in milliseconds since 1970. */
export const databaseTime = '(extract(epoch from now()) * 1000)::bigint'

export async function readTime(sql: Sql): Promise<{ now: number }> {
  return (await sql.get<{ now: number }>(`select ${databaseTime} as now`)) as { now: number }
}
