import { type BigIntStats, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'

interface OpenFile {
  path: string
  fix: string
  /** As it was when it was opened. */
  opened?: BigIntStats | undefined
}

/**
 * The files that a connection writes to. When one of them is deleted or replaced, SQLite does not notice: it goes on
 * writing to the file that it has opened, which is gone once the process ends.
 */
export class OpenFiles {
  readonly #files: readonly OpenFile[]

  constructor(db: DatabaseSync) {
    const path = db.location() as string // with all symbolic links resolved: the log is beside the real file
    this.#files = [
      { path, fix: 'move it back, or restart the server to use the file that is there now, or a new one' },
      { path: `${path}-wal`, fix: 'restart the server: before it ends, it saves in the database what the log holds' },
    ]
  }

  /**
   * Called in a transaction, when both files exist. It takes 5 µs.
   * @throws {Error} naming the file and the cure.
   */
  check(): void {
    for (const file of this.#files) {
      const found = statSync(file.path, { bigint: true, throwIfNoEntry: false })
      file.opened ??= found
      // While it is open, the file system gives its inode number to no other file.
      if (found && found.ino === file.opened?.ino && found.dev === file.opened.dev) continue
      throw new Error(`${file.path} was deleted or replaced while the server runs: ${file.fix}`)
    }
  }
}
