/** Replaces and creates files atomically. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
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
  try {
    const prepare = (file: number) => {
      if (old) keepOwner(file, old, mode)
      fchmodSync(file, mode)
    }
    writeTemporary(path, text, prepare, (temporary) => renameSync(temporary, path))
  } catch (cause) {
    throw new Error(`Cannot write ${path}: ${(cause as Error).message}. The file is unchanged`, { cause })
  }
}

/**
 * Creates a file with mode 0600, unless the path exists. Other processes see the file only with its content, and a kill
 * leaves no incomplete file at the path.
 * @returns Whether this call has created the file. @throws {Error}
 */
export function createFile(path: string, text: string): boolean {
  if (lstatSync(path, { throwIfNoEntry: false })) return false
  try {
    writeTemporary(
      path,
      text,
      () => {},
      (temporary) => linkFile(temporary, path),
    )
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw new Error(`Cannot create ${path}: ${(cause as Error).message}`, { cause })
  }
}

/** @throws {Error} with the code `EEXIST` if the path exists. */
function linkFile(file: string, path: string): void {
  try {
    linkSync(file, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error
    // Some file systems, such as FAT, have no hard links. There, other processes may see the file before its content.
    copyFileSync(file, path, constants.COPYFILE_EXCL)
  }
}

/**
 * Writes a temporary file beside a path, and flushes it to the disk. `publish` puts it at the path.
 * @param prepare Gets the descriptor of the temporary file.
 */
function writeTemporary(
  path: string,
  text: string,
  prepare: (file: number) => void,
  publish: (temporary: string) => void,
): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = openSync(temporary, 'wx', 0o600)
    try {
      writeFileSync(file, text)
      prepare(file)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    publish(temporary)
  } finally {
    rmSync(temporary, { force: true })
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

/**
 * Makes the new entry of the folder durable where that is possible. Windows and some network file systems cannot sync
 * a folder.
 */
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
