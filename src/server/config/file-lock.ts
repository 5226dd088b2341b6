import { closeSync, existsSync, openSync, rmSync } from 'node:fs'

/** The file that exists while a process holds the lock on another file. */
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
  const lock = lockOf(path)
  try {
    closeSync(openSync(lock, 'wx', 0o600))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw lockedError(path, problem, cause)
    throw new Error(`Cannot change ${path}: ${(cause as Error).message}`, { cause })
  }
  try {
    return await change()
  } finally {
    rmSync(lock, { force: true })
  }
}

/** Whether a process holds the lock on a file. */
export const isLocked = (path: string): boolean => existsSync(lockOf(path))

/** @throws {Error} if a process holds the lock on a file. */
export function assertUnlocked(path: string, problem: string): void {
  if (isLocked(path)) throw lockedError(path, problem)
}

function lockedError(path: string, problem: string, cause?: unknown): Error {
  const cure = `wait until it has ended. If it crashed, delete ${lockOf(path)}, and run this again`
  return new Error(`${problem}: ${cure}`, { cause })
}
