/**
 * The lock on a file is a file beside it that names the process which holds the lock. A process that is killed leaves
 * the lock behind. Another process of the same machine then takes the lock over.
 */
import { createHash, randomUUID } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { isObject } from '../../runtime/json.ts'
import { hasEnded, ownIdentity, type ProcessIdentity } from '../../runtime/process-identity.ts'
import { createFile } from './replace-file.ts'

const lockOf = (path: string): string => `${path}.lock`

/**
 * Runs `change` while this process holds the lock on a file. Other processes that use the lock then leave the file
 * unchanged.
 * @param problem The message if another process holds the lock: `Another rotation of secrets is running`.
 * @throws {Error} if another process holds the lock, or the lock cannot be created.
 */
export async function withFileLock<Result>(
  path: string,
  problem: string,
  change: () => Promise<Result> | Result,
): Promise<Result> {
  if (!acquire(path)) throw lockedError(path, problem)
  try {
    return await change()
  } finally {
    rmSync(lockOf(path), { force: true })
  }
}

/** Whether a process holds the lock on a file, or may hold it. */
export function isLocked(path: string): boolean {
  const holder = readLock(lockOf(path))
  return holder !== undefined && !isAbandoned(holder)
}

/** @throws {Error} if a process holds the lock on a file. */
export function assertUnlocked(path: string, problem: string): void {
  if (isLocked(path)) throw lockedError(path, problem)
}

function lockedError(path: string, problem: string): Error {
  return new Error(`${problem}: wait until it has ended. If it crashed, delete ${lockOf(path)}, and run this again`)
}

/** @returns False if another process holds the lock, or may hold it. @throws {Error} */
function acquire(path: string): boolean {
  const lock = lockOf(path)
  const holder = JSON.stringify({ ...ownIdentity(), nonce: randomUUID() }) // no two locks have the same text
  try {
    while (!createFile(lock, holder)) if (!removeAbandoned(lock)) return false
    return true
  } catch (cause) {
    throw new Error(`Cannot change ${path}: ${(cause as Error).message}`, { cause })
  }
}

/**
 * Removes a lock whose holder has ended. Several processes may find the same lock, and a slow one must not remove the
 * lock that a fast one has created meanwhile. So only the process that creates the marker of this lock may remove it, and
 * only if the lock is still the same. A process that is killed before it removes the marker leaves both: then the lock
 * stays until the operator deletes it.
 * @returns False if the lock stays.
 */
function removeAbandoned(lock: string): boolean {
  const holder = readLock(lock)
  if (holder === undefined) return true
  if (!isAbandoned(holder)) return false
  const marker = `${lock}.${createHash('sha256').update(holder).digest('hex').slice(0, 16)}`
  if (!createFile(marker, '')) return false
  try {
    if (readLock(lock) === holder) rmSync(lock, { force: true })
  } finally {
    rmSync(marker, { force: true })
  }
  return true
}

/** The text of a lock. Empty if it cannot be read, and `undefined` if there is none. */
function readLock(lock: string): string | undefined {
  try {
    return readFileSync(lock, 'utf8')
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : ''
  }
}

/** Whether the process that a lock names has certainly ended. */
export function isAbandoned(holder: string, own: ProcessIdentity = ownIdentity()): boolean {
  const other = parseHolder(holder)
  if (!other) return false
  if (hasEnded(other, own)) return true
  const isSameMachine = other.host === own.host && other.realm === undefined && own.realm === undefined
  return isSameMachine && !isRunning(other.pid)
}

function parseHolder(text: string): ProcessIdentity | undefined {
  try {
    const holder: unknown = JSON.parse(text)
    return isObject(holder) && Number.isInteger(holder.pid) ? (holder as unknown as ProcessIdentity) : undefined
  } catch {
    return undefined
  }
}

/** For systems without `/proc`. */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0) // sends no signal
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
