/** Finds the secret of the webhook: the one that a server verifies signatures with, and `send` signs with. */
import { existsSync } from 'node:fs'
import type { Hooks } from '../../hooks.ts'
import { optionsOf } from '../../internals.ts'
import type { HooksOptions } from '../../options.ts'
import type { DevServer } from './dev-server.ts'
import type { Config } from './resolve-config.ts'
import { keepSecret, ownFolder, randomSecret, readKept, readSecrets } from './secret-files.ts'

/** The file with the secret that `serve --dev` generates, in the current folder. `send` reads the secret from it. */
export const devSecretFile = `${ownFolder}/secret`

/** Print only the source of a secret, never the value. */
export interface FoundSecret<Value> {
  value: Value
  /** The file or the variable, for messages. */
  source: string
  /** Whether a secret that the module gives takes precedence: over `SECRET_KEY`, and over a generated secret. */
  isFallback?: boolean
}

type ServerSecret = FoundSecret<string | readonly string[]>

/**
 * Finds the secret that the server verifies signatures with, apart from that of the module. Without a configured
 * secret, `--dev` generates one, unless the server polls, because then it verifies no signatures. Call this function
 * before the module is imported: it also sets the environment variable, which the module may read. Then call
 * {@link serverSecret}.
 * @throws {Error} if the file or the variable with the secret cannot be used.
 */
export function findServerSecret({ secretFile, dev, pull }: Config): ServerSecret | undefined {
  const { env } = process
  if (secretFile.value !== undefined) {
    const value = readSecrets(secretFile.value)
    env.GITHUB_WEBHOOKS_KEY = value[0]
    return { value, source: secretFile.value }
  }
  const found = secretIn(env)
  if (found || pull.value || !dev.value) return found
  const value = existsSync(devSecretFile) ? readKept(devSecretFile) : randomSecret()
  env.GITHUB_WEBHOOKS_KEY = value
  return { value, source: devSecretFile, isFallback: true }
}

/**
 * Decides between the secret that was found before the import and that of the module.
 * @param hooks `undefined` if there is no module.
 * @returns `undefined` if there is no secret, or if the server uses one of the module that is not from a variable.
 */
export function serverSecret(found: ServerSecret | undefined, hooks: Hooks | undefined): ServerSecret | undefined {
  if (!hooks || (found && !found.isFallback)) return found
  const { secret } = optionsOf(hooks)
  // `new Hooks()` has the same secret if it read the variable.
  if (found && [secret].flat().includes(found.value as string)) return found
  const ofProbot = probotSecretIn(process.env)
  return secret === ofProbot?.value ? ofProbot : undefined
}

/** Keeps the secret in its file if `--dev` generated it, for the next start and for `send`. @throws {Error} */
export function keepDevSecret(secret: ServerSecret | undefined): void {
  if (secret?.source !== devSecretFile) return
  try {
    keepSecret(devSecretFile, secret.value as string)
  } catch (cause) {
    const cure = `let this user create files in ${process.cwd()}, or start the server in another folder`
    throw new Error(`Cannot keep the generated secret: ${(cause as Error).message}: ${cure}`, { cause })
  }
}

/** Where `send` finds the secret of a server with `--dev`. It must never contain the secret itself. */
export function placeOfSecret(
  secret: ServerSecret | undefined,
  { config, hooks }: { config: Config; hooks: Hooks | undefined },
): Pick<DevServer, 'secretFile' | 'secretVariable'> {
  if (config.secretFile.value !== undefined) return { secretFile: config.secretFile.value }
  if (secret?.source === devSecretFile) return { secretFile: devSecretFile }
  const values = textSecrets(secret?.value ?? (hooks && optionsOf(hooks).secret)) ?? []
  return { secretVariable: Object.entries(process.env).find(([, value = '']) => values.includes(value))?.[0] }
}

/**
 * Finds the secret to sign with: that of the server with `--dev` in this folder, else that of `HOOKSERVER_SECRET_FILE`
 * or of another variable, else the one that `--dev` has generated.
 * @param server `undefined` if none runs, or if the deliveries go to another server.
 * @throws {Error} if the variable or the file cannot be used.
 */
export function findSigningSecret(server: DevServer | undefined): FoundSecret<string> | undefined {
  const { env } = process
  const { secretFile = env.HOOKSERVER_SECRET_FILE, secretVariable } = server ?? {}
  if (secretVariable !== undefined) {
    const value = env[secretVariable]
    if (value) return { value, source: `the environment variable ${secretVariable}` }
    throw new Error(`The server has its secret from the variable ${secretVariable}: set it here too, or pass --secret`)
  }
  if (secretFile) return firstSecret(secretFile)
  const found = secretIn(env)
  if (found) return found
  const ofProbot = probotSecretIn(env)
  if (ofProbot) return ofProbot
  return existsSync(devSecretFile) ? { value: readKept(devSecretFile), source: devSecretFile } : undefined
}

/** The secret to sign with that a file contains. @throws {Error} if the file cannot be used. */
export function firstSecret(file: string): FoundSecret<string> {
  const [value = ''] = readSecrets(file)
  return { value, source: file }
}

/** The secret of a Probot app. */
const probotSecretIn = ({ WEBHOOK_SECRET: value }: NodeJS.ProcessEnv): FoundSecret<string> | undefined =>
  value ? { value, source: 'the environment variable WEBHOOK_SECRET' } : undefined

function secretIn(env: NodeJS.ProcessEnv): FoundSecret<string> | undefined {
  const { GITHUB_WEBHOOKS_KEY: own, SECRET_KEY: generic } = env
  if (own)
    return { value: notBlank('GITHUB_WEBHOOKS_KEY', own), source: 'the environment variable GITHUB_WEBHOOKS_KEY' }
  if (!generic) return undefined
  return { value: notBlank('SECRET_KEY', generic), source: 'the environment variable SECRET_KEY', isFallback: true }
}

/** @throws {Error} if the value is only white space, which anyone could guess. */
function notBlank(variable: string, value: string): string {
  if (value.trim() !== '') return value
  throw new Error(`The environment variable ${variable} contains only white space: set it to the secret of the webhook`)
}

/** The secrets that are text. `undefined` if there are none, for example because the option is a function. */
export function textSecrets(option: HooksOptions['secret']): string[] | undefined {
  const texts = [option].flat().filter((one) => typeof one === 'string')
  return texts.length > 0 ? texts : undefined
}
