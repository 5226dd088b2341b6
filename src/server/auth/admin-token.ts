import { dirname, join } from 'node:path'
import { isFile } from '../config/database-settings.ts'
import { type Config, ConfigError } from '../config/resolve-config.ts'
import { keepRandom, readToken } from '../config/secret.ts'

/** The admin token, and the file that holds it, if it is in one. */
export interface AdminToken {
  token: string
  tokenFile: string | undefined
}

/** The configured token, or else one that is generated once and kept in a file. @throws {Error} that says what to do. */
export function adminTokenOf({ adminToken, adminTokenFile, database }: Config): AdminToken {
  if (adminToken.value !== undefined) return { token: adminToken.value, tokenFile: undefined }
  if (adminTokenFile.value !== undefined) {
    return { token: readToken(adminTokenFile.value), tokenFile: adminTokenFile.value }
  }
  const tokenFile = defaultTokenFile(database.value)
  try {
    return { token: keepRandom(tokenFile), tokenFile }
  } catch (cause) {
    const others = 'Or set a token in HOOKSERVER_ADMIN_TOKEN, or name a file with --admin-token-file'
    throw new Error(`The admin token cannot be kept: ${(cause as Error).message}. ${others}`, { cause })
  }
}

/** @throws {ConfigError} if it is the admin token, which would give every reader full access. */
export function readOnlyTokenOf(
  { readOnlyToken, readOnlyTokenFile }: Config,
  { token }: AdminToken,
): string | undefined {
  const { value: file } = readOnlyTokenFile
  const found = readOnlyToken.value ?? (file === undefined ? undefined : readToken(file))
  if (found !== token) return found
  const source = readOnlyToken.source ?? readOnlyTokenFile.source
  throw new ConfigError([`${source}: it is the admin token as well, which lets do everything: choose another`])
}

/**
 * Beside the file of the inbox. With a database server, every machine keeps a token of its own, since all readers of the
 * database could read a shared one: in the state directory of its systemd service (`StateDirectory=`, systemd.exec(5)), or
 * in the folder in which it was started.
 */
function defaultTokenFile(database: string): string {
  if (isFile(database)) return join(dirname(database), 'hookserver.token')
  const [state] = (process.env.STATE_DIRECTORY ?? '').split(':')
  return state ? join(state, 'hookserver.token') : join('.hookserver', 'token')
}
