import type { Command } from 'commander'
import type { Store } from '../../inbox/inbox.ts'
import { optionsOf } from '../../internals.ts'
import type { HooksOptions } from '../../options.ts'
import { type Finding, failed, fine, warning } from '../../runtime/finding.ts'
import { plural } from '../../runtime/format.ts'
import { responseText } from '../../runtime/untrusted-text.ts'
import { checkPorts as checkListeners, publicHost } from '../../server/config/conflicts.ts'
import { isFile } from '../../server/config/database-settings.ts'
import { findDevServer } from '../../server/config/dev-server.ts'
import { type HooksModule, loadModule } from '../../server/config/hooks-module.ts'
import { type ModuleError, moduleError } from '../../server/config/module-error.ts'
import { type Config, ConfigError } from '../../server/config/resolve-config.ts'
import { checksSignatures, moduleInbox, receivesDeliveries } from '../../server/config/server-options.ts'
import { type FoundSecret, findServerSecret, serverSecret, textSecrets } from '../../server/config/server-secret.ts'
import { listen } from '../../server/listener.ts'
import type { EnvFileFlags } from '../env-file-flags.ts'
import { findingLines } from '../finding-lines.ts'
import { addConfigFlags, type ConfigFlags, configFromFlags } from '../flags.ts'
import { defaultModule, defaultNames, rejectModuleFlag } from '../module-handlers.ts'
import { jsonLine, printLines } from '../output.ts'
import { checkEventNames, receivedNames } from './event-names.ts'
import { checkGitHub } from './github.ts'
import { checkFile, checkInbox } from './inbox.ts'
import { checkPostgres } from './postgres.ts'
import { checkEnvFile, checkSettings, checkVariables, invalidSettings } from './settings.ts'
import { checkWebhooks } from './webhooks.ts'

export function addDoctor(program: Command): void {
  const command = program
    .command('doctor [module]')
    .summary('Check whether a server can receive and handle deliveries')
    .description('Checks a server with the settings that it would use, and shows how to fix each problem.')
    .option('--json', 'Print one JSON object per line')
  rejectModuleFlag(addConfigFlags(command), 'doctor').addHelpText('after', examples).action(doctor)
}

const examples = `
Pass the same flags as to "hookserver serve". Exits with 1 if a check fails; warnings do not count.

Examples:
  hookserver doctor
  hookserver doctor src/webhooks.ts --database /var/lib/hooks/hookserver.db --trust-proxy loopback`

type Flags = ConfigFlags & EnvFileFlags & { json?: true }

async function doctor(module: string | undefined, flags: Flags): Promise<void> {
  for await (const finding of diagnose(module, flags)) {
    if (finding.state === 'failed') process.exitCode = 1
    await printLines(flags.json ? [jsonLine(finding)] : findingLines(finding))
  }
}

/** Characters. An attacker may guess a shorter secret. */
const minSecretLength = 16

/** Runs all checks. A check that fails stops only the checks that need its result. */
async function* diagnose(given: string | undefined, flags: Flags): AsyncGenerator<Finding> {
  if (flags.envFile) yield* checkEnvFile(flags.envFile)
  yield* checkVariables()
  let config: Config
  let path: string | undefined
  try {
    config = configFromFlags(flags, { module: 'pending' })
    path = given ?? (config.role.value === 'receiver' ? undefined : defaultModule())
    if (path === undefined) config = configFromFlags(flags)
  } catch (error) {
    yield* invalidSettings(error as Error)
    return
  }
  if (path === undefined && config.role.value !== 'receiver') yield noModule
  const found = yield* findSecret(config)
  let module: HooksModule | undefined
  let ownInbox: Store | undefined
  const uncaught: unknown[] = []
  const onUncaught = (error: unknown) => uncaught.push(error)
  if (path !== undefined) {
    try {
      module = await loadModule(path)
      process.on('uncaughtException', onUncaught)
      config = configFromFlags(flags, { module })
      yield checkHandlers(module)
      ownInbox = moduleInbox(config, module.hooks)
    } catch (error) {
      if (error instanceof ConfigError) yield* invalidSettings(error)
      else yield failedModule(error as Error)
    }
  }
  const secret = serverSecret(found ?? undefined, module?.hooks)
  if (secret) yield checkSecret(secret)
  const options: Readonly<HooksOptions> = module ? optionsOf(module.hooks) : {}
  const signed = checksSignatures(config, options)
  const needsSecret = signed && receivesDeliveries(config)
  if (found !== null && needsSecret && secret === undefined && options.secret === undefined) {
    const cure = 'put the secret of the webhook into GITHUB_WEBHOOKS_KEY, or into a file for --secret-file'
    const dev = findDevServer() ? '. To check the running "serve --dev" instead, add --dev' : ''
    yield failed('secret', 'no secret is set', `${cure}${dev}`)
  }
  const settings = yield* checkSettings(config, module?.hooks, ownInbox)
  // Before `checkDatabase`, which closes the inbox of the module.
  const usedNames = module ? await receivedNames(module, config, ownInbox) : new Set<string>()
  yield* checkDatabase(config, module, ownInbox)
  yield* checkPorts(config, signed)
  if (settings) {
    yield* checkGitHub(config, settings)
    const secrets = signed && found !== null ? textSecrets(secret?.value ?? options.secret) : undefined
    yield* checkWebhooks({ config, settings, module, secrets, usedNames })
  }
  if (module) yield* checkEventNames(module, usedNames)
  process.off('uncaughtException', onUncaught)
  for (const error of uncaught) yield failedModule(moduleError(`Code that ${path} started has failed`, error))
}

const failedModule = (error: Error): Finding => ({
  ...failed('module', error.message),
  trace: (error as Partial<ModuleError>).trace,
})

/** @returns `null` if the secret cannot be read, `undefined` if there is none: the module may still set one. */
function* findSecret(config: Config): Generator<Finding, ReturnType<typeof findServerSecret> | null> {
  try {
    return findServerSecret(config)
  } catch (error) {
    yield failed('secret', (error as Error).message)
    return null
  }
}

function checkSecret({ value, source }: FoundSecret<string | readonly string[]>): Finding {
  const isShort = [value].flat().some((one) => one.length < minSecretLength)
  if (!isShort) return fine('secret', `from ${source}`)
  const cure = 'set a random secret here and on GitHub: openssl rand -hex 32'
  return warning('secret', `from ${source}: shorter than ${minSecretLength} characters`, cure)
}

/**
 * Checks the database that the server would use.
 * @param ownInbox The inbox of the module, unless a setting names another database.
 */
function checkDatabase(
  config: Config,
  module: HooksModule | undefined,
  ownInbox: Store | undefined,
): AsyncGenerator<Finding> {
  if (ownInbox) return checkInbox(Promise.resolve(ownInbox), `the inbox of ${module?.name}`)
  return isFile(config.database.value) ? checkFile(config) : checkPostgres(config)
}

function checkHandlers({ name, hooks }: HooksModule): Finding {
  const count = hooks.registrations.length
  if (count > 0) return fine('module', `${name} has ${plural(count, 'handler')}`)
  return warning('module', `${name} has no handlers`, 'register one: hooks.hook("push", …)')
}

const noModule = warning(
  'module',
  `there is no ${defaultNames} in this folder, so the server handles no delivery`,
  'create one with "npx hookserver init", or name your module: hookserver doctor src/webhooks.ts',
)

/** Checks that the listeners can bind to their ports. A port that a running hookserver uses is fine. */
async function* checkPorts(config: Config, signed: boolean): AsyncGenerator<Finding> {
  const { port, adminHost, adminPort } = config
  const listeners = [{ what: 'admin port', host: adminHost.value, port: adminPort.value, flag: 'admin-port' }]
  try {
    const host = publicHost(config, signed)
    if (receivesDeliveries(config)) {
      checkListeners(config, host)
      listeners.unshift({ what: 'port', host, port: port.value, flag: 'port' })
    }
  } catch (error) {
    yield failed('settings', (error as Error).message)
  }
  for (const { what, ...address } of listeners) {
    const name = `${address.host} port ${address.port}`
    try {
      const server = await listen(() => {}, address)
      await new Promise((resolve) => server.close(resolve))
      yield fine(what, `${name} is free`)
    } catch (error) {
      yield (await isHookserver(address))
        ? fine(what, `${name} is in use by a running hookserver`)
        : failed(what, (error as Error).message)
    }
  }
}

async function isHookserver({ host, port }: { host: string; port: number }): Promise<boolean> {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  try {
    const url = `http://${name.includes(':') ? `[${name}]` : name}:${port}/healthz`
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) })
    return answer.ok && (await responseText(answer, 1024)) === 'ok'
  } catch {
    return false
  }
}
