/** The options of a `Probot` from environment variables: those of hookserver, else those of Probot. */
import { readdirSync, readFileSync } from 'node:fs'
import { appIn } from '../app.ts'
import type { LogLevel } from './log.ts'
import { warnOnce } from './old-calls.ts'
import { type Options, variablesWithoutEffect } from './options.ts'
import { Probot } from './probot.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The arguments of `createProbot()`. */
export interface CreateProbotOptions {
  /** Options that override the environment. */
  overrides?: Options
  /** Options that the environment overrides. */
  defaults?: Options
  /** Default: `process.env`. */
  env?: Readonly<Record<string, string | undefined>> | undefined
  /** @deprecated Write `overrides`. Probot 9 to 10 take the options of `new Probot()` here. */
  [option: string]: unknown
}

/** Creates a `Probot` with the options of the environment. @throws {Error} if a variable is missing or invalid. */
export function createProbot(options: CreateProbotOptions = {}): Probot {
  const { overrides, defaults = {}, env = process.env, ...old } = options
  const own: Options = { ...old, ...overrides }
  const probot = new Probot({ ...defaults, ...definedOnly(readEnvironment(env, { ...defaults, ...own })), ...own })
  if (Object.keys(old).length > 0) {
    warnOnce(probot.log, 'createProbot(options)', 'createProbot({ overrides: options })')
  }
  return probot
}

/**
 * @param given The options from other sources. The current folder is searched for the key of an App only if no source
 *   has a key or a token.
 * @throws {TypeError} if a variable is invalid. No error shows its value.
 */
export function readEnvironment(env: Environment, given: Options = {}): Options {
  const app = appIn((name) => env[name])
  // `LOG_LEVEL_IN_STRING=false` is the default.
  const isSet = (name: string) => (env[name] === 'false' ? undefined : env[name] || undefined)
  const appId = app?.id ?? isSet('APP_ID')
  const enterpriseHost = isSet('GHE_HOST')
  return {
    appId,
    privateKey: app?.privateKey ?? readPrivateKey(env, { appId, ...given }),
    secret: isSet('GITHUB_WEBHOOKS_KEY') ?? isSet('WEBHOOK_SECRET') ?? isSet('SECRET_KEY'),
    webhookPath: isSet('WEBHOOK_PATH'),
    baseUrl: enterpriseHost && `${isSet('GHE_PROTOCOL') ?? 'https'}://${enterpriseHost}/api/v3`,
    logLevel: isSet('LOG_LEVEL') as LogLevel | undefined,
    ...Object.fromEntries(variablesWithoutEffect.map(([option, variable]) => [option, isSet(variable)])),
  }
}

/** The variables of Probot that `readEnvironment` uses, apart from that of the secret. */
export function usedVariables(env: Environment): string[] {
  const ofApp = env.GITHUB_APP_ID ? [] : ['APP_ID', env.PRIVATE_KEY ? 'PRIVATE_KEY' : 'PRIVATE_KEY_PATH']
  return [...ofApp, 'WEBHOOK_PATH', 'GHE_HOST', 'GHE_PROTOCOL'].filter((name) => env[name])
}

/** What to do without an App. */
export const missingApp = ({ GH_ORG }: Environment): string =>
  `The App ID is missing: set APP_ID, or create an App with "npx hookserver app create${GH_ORG ? ` --org ${GH_ORG}` : ''}"`

/** The options that are set: an unset variable must not hide a default. */
export const definedOnly = (options: Options): Options =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))

/**
 * The private key: `PRIVATE_KEY` as text or in base64, else the file `PRIVATE_KEY_PATH`, else the only `.pem` file in
 * the current folder, which may also be the certificate of a server.
 * @throws {TypeError} naming the variable that is invalid.
 */
function readPrivateKey(env: Environment, { appId, id, privateKey, cert, githubToken }: Options): string | undefined {
  const { PRIVATE_KEY: text, PRIVATE_KEY_PATH: path } = env
  if (text) return parseKey(text, 'PRIVATE_KEY')
  if (path) return parseKey(readKeyFile(path), 'The file that PRIVATE_KEY_PATH names')
  const needsKey = (appId || id) && !(privateKey || cert || githubToken)
  if (!needsKey) return undefined
  const [only, ...more] = readdirSync('.').filter((name) => name.endsWith('.pem'))
  return only !== undefined && more.length === 0 ? parseKey(readFileSync(only, 'utf8'), only) : undefined
}

function parseKey(text: string, source: string): string {
  const candidates = [text.replaceAll('\\n', '\n'), Buffer.from(text, 'base64').toString()]
  const pem = candidates.find((candidate) => /-----BEGIN (RSA )?PRIVATE KEY-----/.test(candidate))
  if (pem !== undefined) return pem
  throw new TypeError(`${source} is not a private key: use the text of the .pem file from GitHub, perhaps in base64`)
}

function readKeyFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new TypeError(`PRIVATE_KEY_PATH is not the path of a readable file (${code})`, { cause })
  }
}
