/** Changes the file of a webhook's secrets while servers read it. */
import { closeSync, lstatSync, openSync, rmSync } from 'node:fs'
import { replaceFile } from './replace-file.ts'
import { readSecrets } from './secret.ts'

/**
 * Runs `rotate` while it holds a lock on the file of secrets. Two concurrent rotations could leave GitHub with a secret
 * that is in no file.
 * @throws {Error} if another rotation has the lock, or the file cannot be changed.
 */
export async function withSecretFile(path: string, rotate: (file: SecretFile) => Promise<void>): Promise<void> {
  const stats = lstatSync(path)
  if (!stats.isFile()) {
    throw new Error(`Cannot change ${path}: it is not a regular file. Name the file itself with --secret-file`)
  }
  const lock = `${path}.lock`
  try {
    closeSync(openSync(lock, 'wx', 0o600))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new Error(`Cannot change ${path}: ${(cause as Error).message}`, { cause })
    }
    const cure = `wait until it has ended. If it crashed, delete ${lock}, and run this again`
    throw new Error(`Another rotation of ${path} is running: ${cure}`, { cause })
  }
  try {
    await rotate({
      secrets: readSecrets(path),
      write: (secrets) => replaceFile(path, secrets.map((secret) => `${secret}\n`).join(''), stats, stats.mode & 0o777),
    })
  } finally {
    rmSync(lock, { force: true })
  }
}

export interface SecretFile {
  /** The secrets at the start of the rotation, the newest first. A server accepts all of them. */
  readonly secrets: readonly string[]
  /** Replaces the secrets in the file, and keeps its mode. The new file is on the disk when this returns. */
  write(secrets: readonly string[]): void
}
