/** Changes the file of a webhook's secrets while servers read it. */
import { lstatSync } from 'node:fs'
import { withFileLock } from './file-lock.ts'
import { replaceFile } from './replace-file.ts'
import { readSecrets } from './secret-files.ts'

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
  return withFileLock(path, `Another rotation of ${path} is running`, () =>
    rotate({
      secrets: readSecrets(path),
      write: (secrets) => replaceFile(path, secrets.map((secret) => `${secret}\n`).join(''), stats, stats.mode & 0o777),
    }),
  )
}

export interface SecretFile {
  /** The secrets at the start of the rotation, the newest first. A server accepts all of them. */
  readonly secrets: readonly string[]
  /** Replaces the secrets in the file, and keeps its mode. The new file is on the disk when this returns. */
  write(secrets: readonly string[]): void
}
