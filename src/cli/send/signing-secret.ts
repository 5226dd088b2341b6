import { existsSync } from 'node:fs'
import { devSecretFile, readKept, secretIn } from '../../server/secret.ts'
import { UsageError } from '../errors.ts'

export interface SigningSecret {
  value: string
  /** Where it was found; this much may be shown. */
  source: string
}

/** As `serve` looks for it, so that both agree when they are started in the same folder. @throws {UsageError} */
export function findSigningSecret(given: string | undefined, env: NodeJS.ProcessEnv): SigningSecret {
  if (given === '') throw new UsageError('--secret is empty: is the variable set that it was to come from?')
  if (given !== undefined) return { value: given, source: '--secret' }
  const ofEnvironment = secretIn(env)
  if (ofEnvironment) return ofEnvironment
  if (existsSync(devSecretFile)) return { value: readKept(devSecretFile), source: devSecretFile }
  throw new UsageError(
    'There is no secret to sign with. Set GITHUB_WEBHOOKS_KEY to the one that the server has, or give it with ' +
      `--secret, or start this in the folder of "hookserver serve --dev", which keeps one in ${devSecretFile}. ` +
      'With --unsigned nothing is signed.',
  )
}
