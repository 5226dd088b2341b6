import { githubApi } from '../../options.ts'
import type { Config } from '../../server/config.ts'
import { type HooksModule, loadModule } from '../../server/module.ts'
import { counted } from '../printing.ts'
import { configOf, type Flags, findSecret } from '../starting.ts'
import { checkDatabase } from './database.ts'
import type { Finding } from './finding.ts'
import { checkGitHub } from './github.ts'
import { checkPorts } from './ports.ts'

/** Below that a secret can be guessed by trying. */
const shortestSecret = 16

/** Looks at one thing after the other; what one look fails with is its finding, and keeps no other from being made. */
export async function* diagnose(path: string | undefined, flags: Flags): AsyncGenerator<Finding> {
  let config: Config
  try {
    config = configOf(flags)
  } catch (error) {
    for (const found of (error as Error).message.split('\n')) yield { what: 'settings', state: 'failed', found }
    return
  }
  const secret = yield* checkSecret(config)
  let module: HooksModule | undefined
  if (path !== undefined) {
    try {
      module = await loadModule(path)
      config = configOf(flags, module)
      yield handlersOf(module)
    } catch (error) {
      yield { what: 'module', state: 'failed', found: (error as Error).message }
    }
  }
  if (config.pull.value === undefined && secret === undefined && module?.hooks.options.secret === undefined) {
    const cure = 'put the secret that you entered on GitHub into GITHUB_WEBHOOKS_KEY, or into a file: --secret-file'
    yield { what: 'secret', state: 'failed', found: 'there is none', cure }
  }
  yield* checkDatabase(config)
  yield* checkPorts(config)
  const apiUrl = config.apiUrl.value ?? module?.hooks.options.apiUrl ?? githubApi
  yield* checkGitHub(apiUrl, module?.hooks.options.token ?? process.env.GITHUB_TOKEN)
}

function* checkSecret(config: Config): Generator<Finding, string | readonly string[] | undefined> {
  const what = 'secret'
  try {
    const secret = findSecret(config)
    if (!secret) return undefined
    const found = `from ${secret.source}`
    const short = [secret.value].flat().some((one) => one.length < shortestSecret)
    const cure = 'choose one that nobody guesses, here and on GitHub: openssl rand -hex 32'
    yield short
      ? { what, state: 'doubtful', found: `${found}: shorter than ${shortestSecret} characters`, cure }
      : { what, state: 'fine', found }
    return secret.value
  } catch (error) {
    yield { what, state: 'failed', found: (error as Error).message }
    return [] // said already
  }
}

function handlersOf({ name, hooks }: HooksModule): Finding {
  const what = 'module'
  const { registrations } = hooks
  if (registrations.length > 0)
    return { what, state: 'fine', found: `${name} has ${counted(registrations.length, 'handler')}` }
  return { what, state: 'doubtful', found: `${name} has no handler`, cure: 'register one: hooks.hook("push", …)' }
}
