import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Replaces a file atomically. After an error, the old file is unchanged.
 * @param mode The mode of the new file, whatever the umask is. Others get access only once the content is complete.
 */
export function replaceFile(path: string, text: string, old: Stats | undefined, mode: number = 0o600): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = openSync(temporary, 'wx', 0o600)
    try {
      writeFileSync(file, text)
      if (old) keepOwner(file, old, mode)
      fchmodSync(file, mode)
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

/**
 * As root, keeps the owner and the group of the old file, so that the server of another user can still read the file.
 * As another user, keeps only the group, and only if the mode gives the group access. The default group of the new file
 * may have other members, and they must not get this access.
 */
function keepOwner(file: number, old: Stats, mode: number): void {
  const user = process.geteuid?.()
  const givesGroup = (mode & 0o070) !== 0 && old.gid !== fstatSync(file).gid
  if (user === 0) fchownSync(file, old.uid, old.gid)
  else if (user !== undefined && givesGroup) fchownSync(file, user, old.gid)
}

/** Makes the rename durable where that is possible. Windows and some network file systems cannot sync a folder. */
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
