import { randomBytes } from 'node:crypto'
import { closeSync, fchownSync, fsyncSync, openSync, renameSync, rmSync, type Stats, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** Replaces a file at once. After an error, the old file is unchanged. @param mode Also of the temporary file. */
export function replaceFile(path: string, text: string, old: Stats | undefined, mode: number = 0o600): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = openSync(temporary, 'wx', mode)
    try {
      // As root, keep the owner: the server of another user must still be able to read the file.
      if (old && process.geteuid?.() === 0) fchownSync(file, old.uid, old.gid)
      writeFileSync(file, text)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
  } catch (cause) {
    rmSync(temporary, { force: true })
    throw new Error(`Cannot write ${path}: ${(cause as Error).message}. The file is unchanged`, { cause })
  }
  syncFolder(dirname(resolve(path)))
}

/** Makes the new name durable where that is possible: Windows and some network file systems cannot sync a folder. */
function syncFolder(path: string): void {
  let folder: number | undefined
  try {
    folder = openSync(path, 'r')
    fsyncSync(folder)
  } catch {
    // The file is in place, and its content is on the disk.
  } finally {
    if (folder !== undefined) closeSync(folder)
  }
}
