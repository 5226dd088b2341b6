import { existsSync } from 'node:fs'
import type { Config } from '../server/config/resolve-config.ts'
import { devSecretFile, keepRandom, randomSecret, readKept, readSecrets, secretIn } from '../server/config/secret.ts'
import { UsageError } from './errors.ts'

/** A secret, and where it was found; only the source may be printed. */
export interface FoundSecret<Value = string | readonly string[]> {
  value: Value
  source: string
}

/**
 * The secret that a server verifies signatures with, unless the module sets one. It is put into the environment, where
 * the module's `new Hooks()` looks for it, so find it before the module is imported. A server that only pulls verifies
 * nothing, and gets a random one.
 */
export function findServerSecret({ secretFile, dev, pull }: Config): FoundSecret | undefined {
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

/** The secret to sign with. `serve` looks in the same places, so both agree in the same folder. @throws {UsageError} */
export function findSigningSecret(given: string | undefined, env: NodeJS.ProcessEnv): FoundSecret<string> {
  if (given === '') throw new UsageError('--secret is empty: check the variable that you passed')
  if (given !== undefined) return { value: given, source: '--secret' }
  const found = secretIn(env)
  if (found) return found
  if (existsSync(devSecretFile)) return { value: readKept(devSecretFile), source: devSecretFile }
  throw new UsageError(
    "There is no secret to sign with. Set GITHUB_WEBHOOKS_KEY to the server's secret, pass it with --secret, or run " +
      `this in the folder of "hookserver serve --dev", which keeps one in ${devSecretFile}. Use --unsigned to send no signature.`,
  )
}
