import { DatabaseSync } from 'node:sqlite'
import type { AttemptRow, DeliveryRow, InboxContents } from '../campaign/verdict.ts'

/** Whether a process holds the write lock of a file for longer than `timeout` milliseconds. */
export function isLocked(path: string, timeout: number): boolean {
  const db = new DatabaseSync(path, { timeout })
  try {
    db.exec('begin immediate; rollback')
    return false
  } catch {
    return true
  } finally {
    db.close()
  }
}

/** The number of deliveries in a file that have not ended. */
export function unfinished(path: string): number {
  return read(path, (db) => {
    const row = db.prepare("select count(*) as count from deliveries where state in ('pending', 'running', 'retrying')")
    return (row.get() as { count: number }).count
  })
}

/** The contents of a file, and the errors of SQLite's integrity check. */
export function readContents(path: string): InboxContents & { damage: string[] } {
  return read(path, (db) => {
    const integrity = db.prepare('pragma integrity_check').all() as { integrity_check: string }[]
    return {
      deliveries: db.prepare('select id, guid, state from deliveries order by id').all() as unknown as DeliveryRow[],
      attempts: db.prepare(selectAttempts).all() as unknown as AttemptRow[],
      damage: integrity.flatMap(({ integrity_check: text }) => (text === 'ok' ? [] : [`integrity_check: ${text}`])),
    }
  })
}

/** The states of deliveries, and the reasons for these states. */
export function readEndings(
  path: string,
  guids: Iterable<string>,
): { guid: string; state: string; reason: string | null }[] {
  const all = JSON.stringify([...guids])
  return read(path, (db) => {
    const rows = db.prepare('select guid, state, reason from deliveries where guid in (select value from json_each(?))')
    return rows.all(all) as ReturnType<typeof readEndings>
  })
}

/** A handler's attempt for a large delivery. */
export interface LargeAttempt {
  guid: string
  handler: string
  outcome: string
  duration: number | null
  error: string | null
}

export function readAttempts(path: string, guids: Iterable<string>): LargeAttempt[] {
  const all = JSON.stringify([...guids])
  return read(path, (db) => db.prepare(selectLarge).all(all) as unknown as LargeAttempt[])
}

/** Opens a connection for each read, and closes it: an open read keeps SQLite from restarting its write-ahead log. */
function read<T>(path: string, work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
  try {
    return work(db)
  } finally {
    db.close()
  }
}

const selectAttempts = `
  select guid, handler, attempts.number, outcome
  from attempts join deliveries on deliveries.id = delivery_id
  order by attempts.number`

const selectLarge = `
  select guid, handler, outcome, duration, error
  from attempts join deliveries on deliveries.id = delivery_id
  where guid in (select value from json_each(?))`
