import { accessSync, type BigIntStats, closeSync, constants, existsSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { applicationId, migrate } from './migrations.ts'
import type { SqliteSettings } from './options.ts'

/**
 * Opens a connection to an existing file. Fails if the file is missing, because SQLite would otherwise create the file,
 * and delete the log beside it, to which other connections may still be writing. With `synchronous = full`, SQLite
 * returns from a commit after it has fsynced the log (https://sqlite.org/pragma.html#pragma_synchronous); with
 * `fullfsync`, macOS also flushes the cache of the disk. Waiting for the lock of another writer blocks the thread.
 */
export function connect(
  path: string,
  { lockTimeout, maxSize }: Pick<SqliteSettings, 'lockTimeout' | 'maxSize'>,
): DatabaseSync {
  const file = pathToFileURL(path)
  file.search = '?mode=rw' // https://sqlite.org/uri.html
  const db = new DatabaseSync(file, { timeout: lockTimeout })
  db.exec(`
    pragma synchronous = full;
    pragma fullfsync = on;
    pragma checkpoint_fullfsync = on;
    pragma cache_size = -65536;
    pragma wal_autocheckpoint = ${autocheckpoint};
    pragma temp_store = memory;
    pragma max_page_count = ${Math.min(Math.ceil((reserve * maxSize) / pageSize), 4_294_967_294)};
  `)
  return db
}

const pageSize = 8192

/** The file may grow to this multiple of `maxSize`, so that a full inbox can still handle its deliveries. */
const reserve = 1.1

/**
 * If the log has this many pages, a commit copies them into the database. SQLite can then overwrite the log from its
 * beginning, even under load.
 */
const autocheckpoint = 4096

/**
 * Creates the file if it does not exist, so that only its owner can read it, and migrates its schema. The folder must
 * exist, because an empty inbox would otherwise be created in a mistyped folder.
 * @throws {Error} naming the file and the fix.
 */
export function prepareFile(path: string): void {
  try {
    assertFolder(dirname(path))
    createFile(path)
    const db = connect(path, { lockTimeout: 10_000, maxSize: Number.MAX_SAFE_INTEGER })
    try {
      checkOwner(db)
      db.exec(`pragma page_size = ${pageSize}`)
      enterWal(db)
      migrate(db)
    } finally {
      db.close()
    }
  } catch (cause) {
    throw new Error(`Cannot open the inbox ${path}: ${explain(cause)}`, { cause })
  }
}

function assertFolder(folder: string): void {
  if (!existsSync(folder))
    throw new Error(`its folder does not exist: create it (mkdir -p ${folder}), or name another file`)
}

/**
 * Creates the file, or checks that an existing file can be read and written. Does not open an existing file: closing it
 * again would release the locks that SQLite holds on it for all connections of this process, and then another process
 * could delete their log (https://sqlite.org/howtocorrupt.html, 2.2).
 */
function createFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw error
    if (statSync(path).isDirectory()) throw new Error('it is a folder: name a file')
    accessSync(path, constants.R_OK | constants.W_OK)
  }
}

/**
 * Rejects another program's file. Reads both values in one transaction, because another process may be creating the
 * tables.
 */
function checkOwner(db: DatabaseSync): void {
  db.exec('begin')
  const { application_id: owner } = db.prepare('pragma application_id').get() as { application_id: number }
  const { tables } = db.prepare('select count(*) as tables from sqlite_schema').get() as { tables: number }
  db.exec('commit')
  if (owner === applicationId || tables === 0) return
  throw new Error('it is the database of another program: choose another file')
}

/**
 * Switching to a write-ahead log does not wait for other connections, so this function retries for up to ten seconds:
 * https://sqlite.org/wal.html#sometimes_queries_return_sqlite_busy_in_wal_mode
 */
function enterWal(db: DatabaseSync): void {
  const deadline = Date.now() + 10_000
  for (;;) {
    try {
      const { journal_mode: mode } = db.prepare('pragma journal_mode = wal').get() as { journal_mode: string }
      if (mode === 'wal') return
      throw new Error(`its file system does not allow a write-ahead log (journal mode ${mode}): use a local disk`)
    } catch (error) {
      const isBusy = ((error as { errcode?: number }).errcode ?? 0) % 256 === 5
      if (!isBusy || Date.now() > deadline) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    }
  }
}

const fixes: Record<number, string> = {
  5: 'another program holds its lock: end that program, or let it finish',
  8: 'it cannot be written: check the permissions of the file and its folder',
  11: 'it is damaged: move it away and restore a backup',
  13: 'the disk is full: make room',
  14: 'it cannot be opened: check that its folder exists and can be written',
  26: 'it is not an SQLite database, or it is damaged: move it away and restore a backup',
}

function explain(cause: unknown): string {
  const { errcode, code, message } = cause as { errcode?: number; code?: string; message: string }
  if (errcode !== undefined) return fixes[errcode % 256] ?? message
  if (code === 'EACCES' || code === 'EROFS') return fixes[8] as string
  return message
}

/**
 * The files that a connection writes to. SQLite does not notice if one of them is deleted or replaced. Without `check`,
 * the transactions after that would be lost.
 */
export class OpenFiles {
  readonly #files: readonly { path: string; fix: string; opened?: BigIntStats | undefined }[]

  constructor(db: DatabaseSync) {
    const path = db.location() as string // with symbolic links resolved: the log is beside the real file
    this.#files = [
      { path, fix: 'move it back. Or restart the server: it opens the file that is there now, or creates a new one' },
      {
        path: `${path}-wal`,
        fix:
          'restart the server. The running process still has the old log open, ' +
          'and saves it in the database before it ends',
      },
    ]
  }

  /**
   * Checks that the files are still those that the first call found. Takes 5 µs. Must be called in a transaction: only
   * then is it certain that SQLite has created both files.
   * @throws {Error} naming the file and the fix.
   */
  check(): void {
    for (const file of this.#files) {
      const found = statSync(file.path, { bigint: true, throwIfNoEntry: false })
      file.opened ??= found
      // The file system gives the inode number of an open file to no other file.
      if (found && found.ino === file.opened?.ino && found.dev === file.opened.dev) continue
      throw new Error(`${file.path} was deleted or replaced while the server was running: ${file.fix}`)
    }
  }
}
