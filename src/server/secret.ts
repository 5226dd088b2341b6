import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Where `serve --dev` keeps the secret that it makes, and `send` finds it: in the folder that both are started in. */
export const devSecretFile = '.hookserver/secret'

/** The secret of the environment, and what to call where it was found. */
export function secretIn(env: NodeJS.ProcessEnv): { value: string; source: string } | undefined {
  for (const name of ['GITHUB_WEBHOOKS_KEY', 'SECRET_KEY']) {
    if (env[name]) return { value: env[name], source: `the environment variable ${name}` }
  }
  return undefined
}

/** One secret a line. @throws {Error} if the file cannot be read, or holds none. */
export function readSecrets(path: string): string[] {
  const secrets = read(path)
    .split(/\r?\n/)
    .filter((line) => line !== '')
  if (secrets.length === 0) throw new Error(`${path} holds no secret: write the webhook's into it`)
  return secrets
}

/** The one line of a file. @throws {Error} if it cannot be read. */
export const readLine = (path: string): string => read(path).trim()

/** A token in a file. @throws {Error} */
export function readToken(path: string): string {
  const token = readLine(path)
  if (!/^[\x21-\x7e]{16,}$/.test(token)) {
    throw new Error(`${path} must hold one token of 16 characters or more, without white space`)
  }
  return token
}

/** Something that nobody guesses. */
export const randomSecret = (): string => randomBytes(24).toString('base64url')

/** What a file holds; one that is not there is made, with something that nobody guesses, readable for its owner alone. */
export function keepRandom(path: string): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    writeFileSync(path, `${randomSecret()}\n`, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw error
  }
  return readToken(path)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Error(`${path} cannot be read: ${(cause as Error).message}`, { cause })
  }
}
