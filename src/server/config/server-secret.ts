/** Finds the secret of the webhook: the one that a server verifies signatures with, and `send` signs with. */
import { existsSync } from 'node:fs'
import type { Hooks } from '../../hooks.ts'
import { optionsOf } from '../../internals.ts'
import type { HooksOptions } from '../../options.ts'
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
 * @returns `undefined` if the server uses the secret of the module, or if there is none.
 */
export function serverSecret(found: ServerSecret | undefined, hooks: Hooks | undefined): ServerSecret | undefined {
  if (!found?.isFallback || !hooks) return found
  // `new Hooks()` has the same secret if it read the variable.
  return [optionsOf(hooks).secret].flat().includes(found.value as string) ? found : undefined
}

/** Keeps the secret in its file if `--dev` generated it, for the next start and for `send`. @throws {Error} */
export function keepDevSecret(secret: ServerSecret | undefined): void {
  if (secret?.source === devSecretFile) keepSecret(devSecretFile, secret.value as string)
}

/**
 * Finds the secret to sign with: that of the environment, else that of the file that `serve --dev` creates, else that of
 * a Probot app. A server with `--dev` and without `--secret-file` that runs in the same folder verifies with the same
 * secret.
 * @throws {Error} if the variable or the file cannot be used.
 */
export function findSigningSecret(): FoundSecret<string> | undefined {
  const found = secretIn(process.env)
  if (found) return found
  if (existsSync(devSecretFile)) return { value: readKept(devSecretFile), source: devSecretFile }
  const { WEBHOOK_SECRET: value } = process.env
  return value ? { value, source: 'the environment variable WEBHOOK_SECRET' } : undefined
}

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
