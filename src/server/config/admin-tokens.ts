import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isFile } from './database-settings.ts'
import { type Config, ConfigError } from './resolve-config.ts'
import { keepRandom, ownFolder, readToken } from './secret-files.ts'

/** The admin token, and the file that contains it, if any. */
export interface AdminToken {
  token: string
  tokenFile: string | undefined
}

/**
 * The configured token. If there is none, generates one at the first start, and keeps it in a file.
 * @throws {Error} that says what to do.
 */
export function adminTokenOf({ adminToken, adminTokenFile, database }: Config): AdminToken {
  if (adminToken.value !== undefined) return { token: adminToken.value, tokenFile: undefined }
  const { value: file } = adminTokenFile
  if (file !== undefined) return { token: readToken(file), tokenFile: file }
  const tokenFile = defaultTokenFile(database.value)
  try {
    return { token: keepRandom(tokenFile), tokenFile }
  } catch (cause) {
    const others =
      'Instead of this file, you can set HOOKSERVER_ADMIN_TOKEN, or pass another file with --admin-token-file'
    throw new Error(`Cannot use the file of the admin token: ${(cause as Error).message}. ${others}`, { cause })
  }
}

/**
 * Checks the tokens that are set or in files. Creates no file.
 * @throws {Error} that says what to do.
 */
export function checkAdminTokens(config: Config): void {
  const { adminToken, adminTokenFile, database } = config
  const isGenerated = adminToken.value === undefined && adminTokenFile.value === undefined
  const willBeGenerated = isGenerated && !existsSync(defaultTokenFile(database.value))
  readOnlyTokenOf(config, willBeGenerated ? { token: undefined } : adminTokenOf(config))
}

/** @throws {ConfigError} if the read-only token equals the admin token, which would give readers full access. */
export function readOnlyTokenOf(
  { readOnlyToken, readOnlyTokenFile }: Config,
  { token }: { token: string | undefined },
): string | undefined {
  const { value: file } = readOnlyTokenFile
  const found = readOnlyToken.value ?? (file === undefined ? undefined : readToken(file))
  if (found === undefined || found !== token) return found
  const source = readOnlyToken.source ?? readOnlyTokenFile.source
  throw new ConfigError([
    `${source}: the read-only token equals the admin token, which has full access. Choose another token`,
  ])
}

/**
 * The file of a generated token. With SQLite, it is beside the database. With PostgreSQL, each machine has its own
 * token: the file is in the state directory of the systemd service (`StateDirectory=`, systemd.exec(5)), or else in
 * `.hookserver` in the current folder.
 */
function defaultTokenFile(database: string): string {
  if (isFile(database)) return join(dirname(database), 'hookserver.token')
  const [state] = (process.env.STATE_DIRECTORY ?? '').split(':')
  return state ? join(state, 'hookserver.token') : join(ownFolder, 'token')
}
