import { githubApi } from '../../options.ts'
import type { Config } from '../../server/config.ts'
import { type HooksModule, loadModule } from '../../server/module.ts'
import { isFile } from '../../server/settings/database.ts'
import { type ConfigFlags, configFromFlags } from '../config-flags.ts'
import { plural } from '../format.ts'
import { findServerSecret } from '../secrets.ts'
import type { Finding } from './finding.ts'
import { checkFile } from './inbox.ts'
import { checkGitHub, checkPorts } from './network.ts'
import { checkPostgres } from './postgres.ts'

/** A shorter secret can be guessed by trying. */
const minSecretLength = 16

/** Runs all checks. A check that throws has a finding of its own, and the others still run. */
export async function* diagnose(path: string | undefined, flags: ConfigFlags): AsyncGenerator<Finding> {
  let config: Config
  try {
    config = configFromFlags(flags)
  } catch (error) {
    for (const found of (error as Error).message.split('\n')) yield { what: 'settings', state: 'failed', found }
    return
  }
  const secret = yield* checkSecret(config)
  let module: HooksModule | undefined
  if (path !== undefined) {
    try {
      module = await loadModule(path)
      config = configFromFlags(flags, module)
      yield checkHandlers(module)
    } catch (error) {
      yield { what: 'module', state: 'failed', found: (error as Error).message }
    }
  }
  if (config.pull.value === undefined && secret === undefined && module?.hooks.options.secret === undefined) {
    const cure = 'put the secret that you entered on GitHub into GITHUB_WEBHOOKS_KEY, or into a file: --secret-file'
    yield { what: 'secret', state: 'failed', found: 'there is none', cure }
  }
  yield* isFile(config.database.value) ? checkFile(config) : checkPostgres(config)
  yield* checkPorts(config)
  const apiUrl = config.apiUrl.value ?? module?.hooks.options.apiUrl ?? githubApi
  yield* checkGitHub(apiUrl, module?.hooks.options.token ?? process.env.GITHUB_TOKEN)
}

/** @returns The secret; `undefined` if there is none, which the module may still set. */
function* checkSecret(config: Config): Generator<Finding, string | readonly string[] | undefined> {
  const what = 'secret'
  try {
    const secret = findServerSecret(config)
    if (!secret) return undefined
    const found = `from ${secret.source}`
    const isShort = [secret.value].flat().some((one) => one.length < minSecretLength)
    const cure = 'set a random one, here and on GitHub: openssl rand -hex 32'
    yield isShort
      ? { what, state: 'doubtful', found: `${found}: shorter than ${minSecretLength} characters`, cure }
      : { what, state: 'fine', found }
    return secret.value
  } catch (error) {
    yield { what, state: 'failed', found: (error as Error).message }
    return [] // reported already
  }
}

function checkHandlers({ name, hooks }: HooksModule): Finding {
  const count = hooks.registrations.length
  if (count > 0) return { what: 'module', state: 'fine', found: `${name} has ${plural(count, 'handler')}` }
  const cure = 'register one: hooks.hook("push", …)'
  return { what: 'module', state: 'doubtful', found: `${name} has no handler`, cure }
}
