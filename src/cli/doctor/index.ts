import type { Command } from 'commander'
import { isFile } from '../../server/config/database-settings.ts'
import { type HooksModule, loadModule } from '../../server/config/hooks-module.ts'
import type { Config } from '../../server/config/resolve-config.ts'
import { githubApi } from '../../settings.ts'
import { addConfigFlags, type ConfigFlags, configFromFlags } from '../flags.ts'
import { jsonLine, plural, printLines } from '../output.ts'
import { findServerSecret } from '../serve.ts'
import { doubtful, type Finding, failed, findingLines, fine } from './finding.ts'
import { checkFile } from './inbox.ts'
import { checkGitHub, checkPorts } from './network.ts'
import { checkPostgres } from './postgres.ts'

export function addDoctor(program: Command): void {
  const command = program
    .command('doctor [module]')
    .summary('Check whether a server can receive and handle deliveries')
    .description(
      'Checks everything that a server needs, with the settings that it would use, and says how to fix problems.',
    )
    .option('--json', 'Print a JSON object per line')
  addConfigFlags(command)
  command.addHelpText('after', examples)
  command.action(async (module: string | undefined, { json, ...flags }: ConfigFlags & { json?: true }) => {
    let hasFailed = false
    for await (const finding of diagnose(module, flags)) {
      hasFailed ||= finding.state === 'failed'
      await printLines(json ? [jsonLine(finding)] : findingLines(finding))
    }
    if (hasFailed) process.exitCode = 1
  })
}

const examples = `
Pass the flags that you pass to "hookserver serve". Exits with 1 if a check fails.

Examples:
  hookserver doctor hooks.ts
  hookserver doctor hooks.ts --database /var/lib/hooks/hookserver.db --trust-proxy loopback`

/** A shorter secret can be guessed by trying. */
const minSecretLength = 16

/** Runs all checks. A check that throws has a finding of its own, and the others still run. */
export async function* diagnose(path: string | undefined, flags: ConfigFlags): AsyncGenerator<Finding> {
  let config: Config
  try {
    config = configFromFlags(flags)
  } catch (error) {
    for (const found of (error as Error).message.split('\n')) yield failed('settings', found)
    return
  }
  const secret = yield* checkSecret(config)
  let module: HooksModule | undefined
  if (path !== undefined) {
    try {
      module = await loadModule(path)
      config = configFromFlags(flags, { module })
      yield checkHandlers(module)
    } catch (error) {
      yield failed('module', (error as Error).message)
    }
  }
  if (config.pull.value === undefined && secret === undefined && module?.hooks.options.secret === undefined) {
    const cure = 'put the secret that you entered on GitHub into GITHUB_WEBHOOKS_KEY, or into a file: --secret-file'
    yield failed('secret', 'there is none', cure)
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
    yield isShort ? doubtful(what, `${found}: shorter than ${minSecretLength} characters`, cure) : fine(what, found)
    return secret.value
  } catch (error) {
    yield failed(what, (error as Error).message)
    return [] // reported already
  }
}

function checkHandlers({ name, hooks }: HooksModule): Finding {
  const count = hooks.registrations.length
  if (count > 0) return fine('module', `${name} has ${plural(count, 'handler')}`)
  const cure = 'register one: hooks.hook("push", …)'
  return doubtful('module', `${name} has no handler`, cure)
}
