/**
 * Loaded before a program (`--import`), and in its threads. For each commit, records the thread and the settings of its
 * connection. Another connection cannot read most of these settings, because they do not belong to the file.
 */
import { appendFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { workerData } from 'node:worker_threads'

export interface Commit {
  role: string | undefined
  /** Rows that the connection has changed since it was opened. */
  changes: number
  synchronous: number
  fullfsync: number
  journalMode: string
}

const { exec } = DatabaseSync.prototype

DatabaseSync.prototype.exec = function (sql) {
  exec.call(this, sql)
  if (sql.trim() !== 'commit') return
  const ask = (question: string) => Object.values(this.prepare(question).get() ?? {})[0]
  const commit: Commit = {
    role: workerData?.role,
    changes: ask('select total_changes()') as number,
    synchronous: ask('pragma synchronous') as number,
    fullfsync: ask('pragma fullfsync') as number,
    journalMode: ask('pragma journal_mode') as string,
  }
  appendFileSync(process.env.COMMITS as string, `${JSON.stringify(commit)}\n`)
}
