/** Finds the secret of the webhook: the one that a server verifies signatures with, and `send` signs with. */
import { existsSync } from 'node:fs'
import type { HooksOptions } from '../../options.ts'
import type { Config } from './resolve-config.ts'
import { keepRandom, ownFolder, randomSecret, readKept, readSecrets } from './secret-files.ts'

/** The file with the secret that `serve --dev` generates, in the current folder. `send` reads the secret from it. */
export const devSecretFile = `${ownFolder}/secret`

/** Print only the source of a secret, never the value. */
export interface FoundSecret<Value> {
  value: Value
  /** The file or the variable, for messages. */
  source: string
}

/**
 * Finds the secret that the server verifies signatures with. The server uses this secret instead of that of the module.
 * If the result is `undefined`, the server uses the secret of the module. Call this function before the module is
 * imported: it also sets the environment variable that `new Hooks()` reads. `new Hooks()` needs a secret even with
 * `--pull`, although a server that polls verifies no signatures. So with `--pull` and no configured secret, this
 * function sets the variable to a random secret. Without `--pull`, `--dev` creates a secret and keeps it in a file.
 * @throws {Error} if a file with the secret cannot be used.
 */
export function findServerSecret({
  secretFile,
  dev,
  pull,
}: Config): FoundSecret<string | readonly string[]> | undefined {
  const { env } = process
  if (secretFile.value !== undefined) {
    const value = readSecrets(secretFile.value)
    env.GITHUB_WEBHOOKS_KEY = value[0]
    return { value, source: secretFile.value }
  }
  const found = secretIn(env)
  if (!found && pull.value) env.GITHUB_WEBHOOKS_KEY = randomSecret()
  if (found || pull.value || !dev.value) return found
  const value = keepRandom(devSecretFile)
  env.GITHUB_WEBHOOKS_KEY = value
  return { value, source: devSecretFile }
}

/**
 * Finds the secret to sign with: that of the environment, else that of the file that `serve --dev` creates. A server
 * with `--dev` and without `--secret-file` that runs in the same folder verifies with the same secret.
 * @throws {Error} if the file cannot be used.
 */
export function findSigningSecret(): FoundSecret<string> | undefined {
  const found = secretIn(process.env)
  if (found || !existsSync(devSecretFile)) return found
  return { value: readKept(devSecretFile), source: devSecretFile }
}

function secretIn(env: NodeJS.ProcessEnv): FoundSecret<string> | undefined {
  for (const name of ['GITHUB_WEBHOOKS_KEY', 'SECRET_KEY']) {
    if (env[name]) return { value: env[name], source: `the environment variable ${name}` }
  }
  return undefined
}

/** The secrets that are text. `undefined` if there are none, for example because the option is a function. */
export function textSecrets(option: HooksOptions['secret']): string[] | undefined {
  const texts = [option].flat().filter((one) => typeof one === 'string')
  return texts.length > 0 ? texts : undefined
}
