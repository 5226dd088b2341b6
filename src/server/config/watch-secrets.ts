/** The secrets of `--secret-file` in a running server: a change of the file applies to the next delivery. */
import { statSync } from 'node:fs'
import type { SecretResolver } from '../../options.ts'
import type { FullLogger } from '../../telemetry/logger.ts'
import { readSecrets } from './secret-files.ts'

/**
 * Returns a function that returns the secrets in a file. Each call compares the metadata of the file with the metadata
 * at the last read, in about 10 µs. If the server checked the file at an interval instead, it would reject deliveries
 * that GitHub signs with a new secret right after the change. GitHub does not send them again.
 *
 * While the file is missing, invalid or writable by others, the previous secrets apply. Each such state is logged once.
 * @throws {Error} if the file cannot be read at the start.
 */
export function watchSecrets(path: string, logger: FullLogger): SecretResolver {
  let version = versionOf(path)
  let secrets: readonly string[] = readSecrets(path)
  return () => {
    const current = versionOf(path)
    if (current === version) return secrets
    version = current
    try {
      secrets = readSecrets(path)
      logger.info({ file: path, count: secrets.length }, 'Secrets read again: the file has changed')
    } catch (err) {
      logger.error(
        { err, file: path },
        'Cannot read the changed secrets; the previous secrets apply until you fix the file',
      )
    }
    return secrets
  }
}

/** Differs after every change of the content, the mode or the owner, and after another file has replaced this one. */
export function versionOf(path: string): string {
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = statSync(path)
    return `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown'
  }
}
