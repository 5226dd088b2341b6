import type { Session, Sql } from './connection.ts'
import { firstTables } from './first-tables.ts'

/**
 * The schema, as the list of steps that lead to it. A step is never changed once it was released: what is wrong with
 * it is mended by the next. While machines are upgraded one after the other, the program of the step before goes on
 * beside it, so a step may add what that one can do without, and takes nothing away that it uses; `docs/decisions.md`
 * lists what is allowed. One that breaks older programs says from which step on they can go on.
 */
export const steps: readonly Step[] = [{ sql: firstTables }]

export interface Step {
  sql: string
  /** The first step whose programs can go on beside it. Default: all. */
  from?: number
}

/**
 * Brings the schema up to date, in the transaction of the caller, who sees to it that nobody else does.
 * @returns how many steps were taken now.
 * @throws if it is newer, and this program cannot go on with it.
 */
export async function migrate(session: Session, all: readonly Step[] = steps): Promise<number> {
  await session.script(createLevels)
  const level = await levelOf(session)
  checkLevel(level, all)
  const missing = all.slice(level.taken)
  for (const [index, { sql, from = level.oldest }] of missing.entries()) {
    await session.script(sql)
    await session.run(insertLevel, level.taken + index + 1, from)
  }
  return missing.length
}

export async function levelOf(sql: Sql): Promise<Level> {
  return (await sql.get<Level>(selectLevel)) ?? { taken: 0, oldest: 0 }
}

/** @throws if the schema is newer, and this program cannot go on with it. */
export function checkLevel({ taken, oldest }: Level, all: readonly Step[] = steps): void {
  if (oldest <= all.length) return
  throw new Error(
    `it was changed by a newer hookserver (schema ${taken}, this one knows ${all.length}): upgrade hookserver`,
  )
}

/** How many steps have been taken, and the oldest whose programs can go on. */
interface Level {
  taken: number
  oldest: number
}

const createLevels = `
  create table if not exists levels (
    taken int primary key,
    oldest int not null,
    at timestamptz not null default now()
  )`

const selectLevel = 'select max(taken)::int as taken, max(oldest)::int as oldest from levels having count(*) > 0'

const insertLevel = 'insert into levels (taken, oldest) values ($1, $2)'
