import { dirname, join } from 'node:path'
import { type Config, ConfigError } from './config.ts'
import { keepRandom, readToken } from './secret.ts'
import { isFile } from './settings/database.ts'

/** What lets an operator in, and the file that holds it, if it is in one. */
export interface AdminToken {
  token: string
  tokenFile: string | undefined
}

/** The one that was set, or one that is made once and kept. @throws {Error} naming the cure. */
export function adminTokenOf({ adminToken, adminTokenFile, database }: Config): AdminToken {
  if (adminToken.value !== undefined) return { token: adminToken.value, tokenFile: undefined }
  if (adminTokenFile.value !== undefined) {
    return { token: readToken(adminTokenFile.value), tokenFile: adminTokenFile.value }
  }
  const tokenFile = placeBeside(database.value)
  try {
    return { token: keepRandom(tokenFile), tokenFile }
  } catch (cause) {
    const others = 'Or set a token in HOOKSERVER_ADMIN_TOKEN, or name a file with --admin-token-file'
    throw new Error(`The admin token cannot be kept: ${(cause as Error).message}. ${others}`, { cause })
  }
}

/**
 * What lets in who may only look, if somebody may.
 * @throws {ConfigError} if it is the operator's: then everybody might do everything.
 */
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
 * Beside a file. On a database server it would be everybody's who can read that, so each machine keeps one of its own:
 * where systemd has a service keep what is its own (`StateDirectory=`, systemd.exec(5)), or where it was started.
 */
function placeBeside(database: string): string {
  if (isFile(database)) return join(dirname(database), 'hookserver.token')
  const [state] = (process.env.STATE_DIRECTORY ?? '').split(':')
  return state ? join(state, 'hookserver.token') : join('.hookserver', 'token')
}
