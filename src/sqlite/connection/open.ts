import {
  accessSync,
  type BigIntStats,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { withoutExperimentalWarning } from '../../runtime/experimental-warning.ts'
import { assertNodeVersion } from '../../runtime/node-version.ts'
import { builtinModule } from '../../runtime/platform.ts'
import { applicationId, migrate } from '../migrations.ts'
import type { SqliteSettings } from '../options.ts'

/**
 * Opens a connection to an existing file. Fails if the file is missing, because SQLite would otherwise create the file,
 * and delete the log beside it, to which other connections may still be writing. With `synchronous = full`, SQLite
 * returns from a commit after it has fsynced the log (https://sqlite.org/pragma.html#pragma_synchronous); with
 * `fullfsync`, macOS also flushes the cache of the disk. Waiting for the lock of another writer blocks the thread.
 */
export function connect(path: string, { lockTimeout }: Pick<SqliteSettings, 'lockTimeout'>): DatabaseSync {
  const file = pathToFileURL(path)
  file.search = '?mode=rw' // https://sqlite.org/uri.html
  const db = new (loadSqlite().DatabaseSync)(file, { timeout: lockTimeout })
  db.exec(`
    pragma synchronous = full;
    pragma fullfsync = on;
    pragma checkpoint_fullfsync = on;
    pragma cache_size = -65536;
    pragma wal_autocheckpoint = ${autocheckpoint};
    pragma journal_size_limit = ${autocheckpoint * pageSize};
    pragma temp_store = memory;
  `)
  return db
}

type Sqlite = typeof import('node:sqlite')

let loaded: Sqlite | undefined

/**
 * Loads `node:sqlite` at its first use, because most commands open no file. Node.js 22 warns that the module is
 * experimental; this warning alone is left out.
 * @throws {Error} if the platform does not have the module.
 */
function loadSqlite(): Sqlite {
  loaded ??= withoutExperimentalWarning(() => builtinModule<Sqlite>('node:sqlite'))
  if (loaded) return loaded
  assertNodeVersion()
  throw new Error('this platform does not have the module node:sqlite of Node.js')
}

const pageSize = 8192

/**
 * If the log has this many pages, a commit copies them into the database. SQLite can then overwrite the log from its
 * beginning, even under load. While a reader has a transaction open, the log grows beyond that. Then the first commit
 * after the reader truncates it.
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
    const db = connect(path, { lockTimeout: 10_000 })
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

/**
 * The schema version of a file. Does not migrate the file. 0 if it has no tables of hookserver, or cannot be read: the
 * reason is the error of `prepareFile`.
 */
export function schemaVersion(path: string): number {
  try {
    const db = connect(path, { lockTimeout: 10_000 })
    try {
      const { owner, version } = db.prepare(selectVersion).get() as { owner: number; version: number }
      return owner === applicationId ? version : 0
    } finally {
      db.close()
    }
  } catch {
    return 0
  }
}

const selectVersion = `
  select application_id as owner, user_version as version from pragma_application_id, pragma_user_version`

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
    const stats = statSync(path)
    if (stats.isDirectory()) throw new Error('it is a folder: name a file')
    if (stats.nlink > 1) throw new Error(`${secondName}: delete the other name`)
    accessSync(path, constants.R_OK | constants.W_OK)
  }
}

/** Two processes that open different names would overwrite each other's transactions. */
const secondName = 'it has a second name (a hard link), and each name would have a write-ahead log of its own'

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
  10: 'its disk is full, or fails: make room, or check the disk',
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
 * The files that a connection uses. SQLite does not notice if one of them is deleted or replaced. Without `check`, the
 * transactions after that would be lost, or would overwrite those of a process that has opened the new files.
 */
export class OpenFiles {
  readonly #files: readonly OpenFile[]
  readonly #log: OpenFile
  readonly #shared: OpenFile
  #isShared = true

  constructor(db: DatabaseSync) {
    db.prepare('select 1 from sqlite_schema').get() // from the first read on, SQLite has all files open
    const path = db.location() as string // with symbolic links resolved: the other files are beside the real file
    this.#shared = openFile(`${path}-shm`, 'restart the server. SQLite creates this file again, from the log')
    this.#log = openFile(
      `${path}-wal`,
      'restart the server. The running process still has the old log open, and saves it in the database before it ends',
    )
    this.#files = [
      openFile(path, 'move it back. Or restart the server: it opens the file that is there now, or creates a new one'),
      this.#log,
      this.#shared,
    ]
  }

  /**
   * Checks that the files are still those that the connection has open. Takes 5 µs.
   * @throws {Error} naming the file and the fix.
   */
  check(): void {
    const lost = this.#isShared ? this.#files.find((file) => !isOpen(file)) : this.#shared
    if (lost) throw new Error(`${lost.path} was deleted or replaced while the server was running: ${lost.fix}`)
  }

  /** Whether the connection shares its memory with those of other processes. After `false`, it never does again. */
  isShared(): boolean {
    this.#isShared &&= isOpen(this.#shared)
    return this.#isShared
  }

  /**
   * Makes SQLite read the log again, to rebuild its index, if the shared memory with the index was deleted or replaced.
   * Other processes may have written to the log since. An index whose header is zero counts as damaged
   * (https://sqlite.org/walformat.html#the_wal_index_file_format). Writes by the descriptor that SQLite uses: closing
   * another one would release the locks of this process.
   */
  renewIndex(): void {
    if (this.isShared() || !isOpen(this.#log)) return
    const descriptor = descriptorOf(this.#shared)
    if (descriptor !== undefined) writeSync(descriptor, new Uint8Array(indexHeaderSize), 0, indexHeaderSize, 0)
  }
}

/** Bytes of the two copies of the header of the index. */
const indexHeaderSize = 96

/** The descriptor of an open file, which may be deleted. `undefined` on Windows, where no open file can be deleted. */
function descriptorOf({ opened }: OpenFile): number | undefined {
  const folder = '/dev/fd'
  const descriptors = existsSync(folder) ? readdirSync(folder).map(Number) : []
  return descriptors.find((descriptor) => {
    try {
      const { dev, ino } = fstatSync(descriptor, { bigint: true })
      return ino === opened?.ino && dev === opened.dev
    } catch {
      return false // the descriptor that has read the folder
    }
  })
}

interface OpenFile {
  path: string
  fix: string
  opened: BigIntStats | undefined
}

const openFile = (path: string, fix: string): OpenFile => ({ path, fix, opened: statOf(path) })

const statOf = (path: string): BigIntStats | undefined => statSync(path, { bigint: true, throwIfNoEntry: false })

/** The file system gives the inode number of an open file to no other file. */
function isOpen({ path, opened }: OpenFile): boolean {
  const found = statOf(path)
  return found !== undefined && found.ino === opened?.ino && found.dev === opened.dev
}
