/** Reads and creates files with secrets, tokens and passwords. */
import { randomBytes } from 'node:crypto'
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import * as v from 'valibot'
import { isFile } from './database-settings.ts'
import { createFile } from './replace-file.ts'
import { type Config, ConfigError } from './resolve-config.ts'
import { settings } from './settings.ts'

/**
 * The folder for files that the server creates, in the current folder. If the folder does not exist, `keepRandom`
 * creates it. Any other folder must exist before `keepRandom` creates a file in it.
 */
export const ownFolder = '.hookserver'

/**
 * Reads one secret per line. Skips empty lines.
 * @throws {Error} if the file is unreadable or empty, if other users can write it, or if a line is only white space, which
 *   anyone could guess.
 */
export function readSecrets(path: string): string[] {
  const lines = read(path).split(/\r?\n/)
  const secrets = lines.filter((line) => line !== '')
  const blank = lines.findIndex((line) => line !== '' && line.trim() === '')
  if (blank >= 0)
    throw new Error(`Line ${blank + 1} of ${path} contains only white space: remove it, or write a secret`)
  if (secrets.length === 0) throw new Error(`${path} contains no secret: write the secret of the webhook into it`)
  return secrets
}

/** The trimmed text of a file. @throws {Error} */
export const readLine = (path: string): string => read(path).trim()

/** The token in a file that the operator created. @throws {Error} */
export const readToken = (path: string): string => tokenIn(path, readLine(path))

/** The token or secret in a file that `keepRandom` created. @throws {Error} also if other users can read the file. */
export const readKept = (path: string): string => tokenIn(path, read(path, othersAccess).trim())

function tokenIn(path: string, token: string): string {
  if (/^[\x21-\x7e]{16,}$/.test(token)) return token
  throw new Error(`${path} must contain one token: 16 or more printable ASCII characters, without white space`)
}

/** A random text of 192 bits. */
export const randomSecret = (): string => randomBytes(24).toString('base64url')

/** The token or secret in a file. If there is no file, creates it with a random text and mode 0600. @throws {Error} */
export function keepRandom(path: string): string {
  keepSecret(path, randomSecret())
  return readKept(path)
}

/** Writes a secret into a file with mode 0600, unless the file exists. @throws {Error} */
export function keepSecret(path: string, secret: string): void {
  const folder = dirname(path)
  if (basename(folder) === ownFolder) mkdirSync(folder, { recursive: true, mode: 0o700 })
  createFile(path, `${secret}\n`)
}

/** Reads the URL of the database from `--database-url-file`, if it is set. @throws {ConfigError} */
export function withDatabaseUrl(config: Config): Config {
  const { value: file, source } = config.databaseUrlFile
  if (file === undefined) return config
  try {
    return { ...config, database: { value: readAddress(file), source } }
  } catch (error) {
    throw new ConfigError([`${source}: ${(error as Error).message}`])
  }
}

/** @throws {Error} that shows no part of the text, which may be a password. */
function readAddress(file: string): string {
  const text = readLine(file)
  const { success, output, issues } = v.safeParse(settings.database.schema, text, { abortPipeEarly: true })
  if (!success && text !== '') throw new Error(`${file}: expected ${issues[0].message}`)
  if (success && !isFile(output)) return output
  throw new Error(`${file} must contain the URL of a database, such as postgres://user:password@host/name`)
}

/** Permissions that no file with a secret may have, because the group or others could replace the secret. */
export const othersWrite = 0o022
/**
 * All permissions of the group and of others. A file that `keepRandom` created must have none of them. Files of the
 * operator may be readable, because Docker and Kubernetes mount secrets with mode 0444 or 0440.
 */
export const othersAccess = 0o077

function read(path: string, forbidden: number = othersWrite): string {
  let file: number | undefined
  let problem: string | undefined
  try {
    file = openSync(path, 'r')
    problem = accessProblem(path, fstatSync(file), process.geteuid?.(), forbidden)
    if (problem === undefined) return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Error(`Cannot read ${path}: ${(cause as Error).message}`, { cause })
  } finally {
    if (file !== undefined) closeSync(file)
  }
  throw new Error(problem)
}

/** The message about the problem that `findAccess` finds. `undefined` if there is none. */
export function accessProblem(...input: Parameters<typeof findAccess>): string | undefined {
  const problem = findAccess(...input)
  return problem && `${problem.found}: run ${problem.cure}`
}

/**
 * Checks who can write or read a file. OpenSSH has a similar rule for keys. Returns the first problem, and the command
 * that fixes it. `undefined` if there is no problem.
 * @param user The user id of this process. `undefined` on Windows, which has no owners or modes.
 * @param forbidden The permissions that are a problem.
 */
export function findAccess(
  path: string,
  { uid, mode }: { uid: number; mode: number },
  user: number | undefined,
  forbidden: number,
): { found: string; cure: string } | undefined {
  if (user === undefined) return undefined
  if (uid !== user && uid !== 0) {
    return {
      found: `${path} belongs to user ${uid}, not to this user (${user}) or root`,
      cure: `chown ${user} ${path}`,
    }
  }
  const excess = mode & forbidden
  if (excess === 0) return undefined
  const access = excess & othersWrite ? 'written' : 'read'
  const cure = uid === user ? 'chmod 600' : 'chmod go-w' // with mode 600 this user could not read a file of root
  return { found: `${path} can be ${access} by its group or other users`, cure: `${cure} ${path}` }
}
