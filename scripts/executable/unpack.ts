/** Unpacks the files of the executable to the user's cache, once for each version. */
import { existsSync, lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, posix, win32 } from 'node:path'
import type { Contents } from './contents.ts'

/** The folder for caches of this user. */
export function cacheFolder(platform: NodeJS.Platform, env: NodeJS.ProcessEnv, home: () => string): string {
  const { XDG_CACHE_HOME = '', LOCALAPPDATA } = env
  const { isAbsolute, join } = platform === 'win32' ? win32 : posix
  if (isAbsolute(XDG_CACHE_HOME)) return XDG_CACHE_HOME // the XDG specification says to ignore a relative path
  if (platform === 'win32') return LOCALAPPDATA ?? join(home(), 'AppData', 'Local')
  return platform === 'darwin' ? join(home(), 'Library', 'Caches') : join(home(), '.cache')
}

/**
 * Unpacks the files to a folder in `cache`, unless they are there. Several processes may do so at the same time.
 * @param readFiles Returns the bytes of all files.
 * @returns The folder with the files.
 * @throws {Error} that says how to choose another cache.
 */
export function unpack(contents: Contents, readFiles: () => Uint8Array, cache: string): string {
  const own = join(cache, 'hookserver')
  try {
    makePrivateFolder(own)
    assertPrivate(own)
    const folder = join(own, contents.name)
    if (!isComplete(folder, contents)) putFiles(contents, readFiles(), folder)
    return folder
  } catch (error) {
    const { message } = error as Error
    const cure = 'Set XDG_CACHE_HOME to the absolute path of a folder that only you can write to'
    throw new Error(`Cannot unpack the files of hookserver to ${own}: ${message}. ${cure}.`)
  }
}

function makePrivateFolder(folder: string): void {
  // Without `recursive` if the parent exists: on a file system that can have no new folders, such as /proc, Node.js
  // would try forever.
  if (!existsSync(dirname(folder))) mkdirSync(dirname(folder), { recursive: true, mode: 0o700 })
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Another user who can write to the folder could replace the code that this process is about to run. */
function assertPrivate(folder: string): void {
  const stats = lstatSync(folder)
  if (!stats.isDirectory()) throw new Error('it is not a directory')
  const user = process.geteuid?.()
  if (user === undefined) return // Windows: a new folder has the access rights of its parent
  if (stats.uid !== user) throw new Error('it belongs to another user')
  if ((stats.mode & 0o022) !== 0) throw new Error('other users can write to it')
}

/** Compares sizes, because a power failure or a program that cleans caches may have damaged some of the files. */
function isComplete(folder: string, { files }: Contents): boolean {
  return files.every(({ path, size }) => statSync(join(folder, path), { throwIfNoEntry: false })?.size === size)
}

/** Writes the files to a temporary folder, and then renames it, so that other processes see all files or none. */
function putFiles(contents: Contents, bytes: Uint8Array, folder: string): void {
  const temporary = mkdtempSync(`${folder}-`)
  const damaged = `${temporary}-damaged`
  try {
    writeFiles(contents, bytes, temporary)
    while (!rename(temporary, folder)) {
      if (isComplete(folder, contents)) break // another process was faster
      rename(folder, damaged)
    }
  } finally {
    for (const unused of [temporary, damaged]) rmSync(unused, { recursive: true, force: true })
  }
}

function writeFiles({ files }: Contents, bytes: Uint8Array, folder: string): void {
  let offset = 0
  for (const { path, size } of files) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, bytes.subarray(offset, offset + size))
    offset += size
  }
}

/** @returns False if there is a folder with the new name, or none with the old name. */
function rename(from: string, to: string): boolean {
  try {
    renameSync(from, to)
    return true
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    // Windows reports EPERM if the folder exists.
    if (['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EPERM'].includes(code)) return false
    throw error
  }
}
