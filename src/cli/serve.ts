import type { Command } from 'commander'
import { readPermissions, unknownPermissions } from '../github/app/needs.ts'
import { formatTarget } from '../github/target.ts'
import { isMissingPackage } from '../runtime/platform.ts'
import { checkWithoutModule } from '../server/config/conflicts.ts'
import { shownDatabase } from '../server/config/database-settings.ts'
import { type DevServer, keepDevServer } from '../server/config/dev-server.ts'
import { assertModule, type HooksModule, loadWithConfig } from '../server/config/hooks-module.ts'
import type { Config } from '../server/config/resolve-config.ts'
import { moduleInbox } from '../server/config/server-options.ts'
import { placeOfSecret } from '../server/config/server-secret.ts'
import { unknownVariables } from '../server/config/unknown-variables.ts'
import { watchSecrets } from '../server/config/watch-secrets.ts'
import { ListenError } from '../server/listener.ts'
import type { Service } from '../server/serve.ts'
import { type FullLogger, setDefaultLogger } from '../telemetry/logger.ts'
import { endSupervisor, followSupervisor } from './dev/supervised.ts'
import { superviseServer } from './dev/supervisor.ts'
import type { EnvFileFlags } from './env-file-flags.ts'
import { addConfigFlags, type ConfigFlags, configFromFlags } from './flags.ts'
import { defaultModule, rejectModuleFlag } from './module-handlers.ts'
import { onScriptEnd } from './package-manager.ts'

export function addServe(program: Command): void {
  const command = program
    .command('serve [module]')
    .summary('Receive deliveries, and run the handlers of a module')
    .description(
      'Receives deliveries, stores them, and runs the handlers of a module that exports a Hooks as "default" or "hooks", ' +
        'or a Probot app as "default".\n' +
        'If you name no module, it uses hooks.ts, hooks.js or hooks.mjs in this folder, or the Probot apps in the ' +
        'package.json, unless the role is receiver.\n' +
        'Without a module it only stores deliveries. You can retry them later with a module.',
    )
  rejectModuleFlag(addConfigFlags(command), 'serve').addHelpText('after', examples).action(serveUntilStopped)
}

const examples = `
A flag takes precedence over the variable HOOKSERVER_… (in brackets), this over "export const config" of the module, and
the module over other variables.

Examples:
  hookserver serve --dev                     with hooks.ts, on your own machine
  hookserver serve                           in production, with the secret in GITHUB_WEBHOOKS_KEY
  hookserver serve src/webhooks.ts           with another module
  hookserver serve index.js                  with a Probot app
  hookserver serve --role receiver           only receive and store deliveries
  hookserver serve --role worker             only run handlers
  hookserver serve --trust-proxy loopback    behind nginx or Caddy on the same machine
  hookserver serve --pull acme/shop          on a machine that GitHub cannot reach`

async function serveUntilStopped(given: string | undefined, flags: ConfigFlags & EnvFileFlags): Promise<void> {
  const early = configFromFlags(flags, { module: 'pending' })
  const path = given ?? (early.role.value === 'receiver' ? undefined : defaultModule())
  if (early.role.value !== 'receiver' && early.dev.value && !followSupervisor()) {
    if (path !== undefined) assertModule(path)
    checkWithoutModule(early)
    return superviseServer(path, flags)
  }
  // Imported here, because other commands do not need a server.
  const [{ notifyReady, serve }, { createLogger }] = await Promise.all([
    import('../server/serve.ts'),
    import('../server/logging.ts'),
  ])
  const logger = await createLogger({ level: early.logLevel.value, format: early.logFormat.value })
  setDefaultLogger(logger) // for the `new Hooks()` of the module
  if (flags.envFile) logger.info(flags.envFile, 'Environment file read')
  const { module, config, secret } = await loadWithConfig(path, (loaded) => configFromFlags(flags, { module: loaded }))
  exitIfUncaught(logger)
  logger.level = config.logLevel.value
  for (const note of unknownPermissions(permissionsOf(module))) logger.warn({}, note)
  for (const { name, meant } of unknownVariables()) {
    logger.warn({}, `The environment variable ${name} has no effect: if you mean ${meant}, rename it`)
  }
  const ownInbox = moduleInbox(config, module?.hooks) && `the inbox of ${module?.name}` // before the server sets another
  await traceIfInstalled()
  const { value: secretFile } = config.secretFile
  const watched = secretFile === undefined ? undefined : watchSecrets(secretFile, logger)
  const service = await serve({ config, module, secret: watched ?? secret?.value, logger }).catch(async (error) => {
    if (error instanceof ListenError) await endSupervisor()
    throw error
  })
  const stopped = stopOnSignal(service, logger)
  const { publicUrl: url } = service
  const place = { config, hooks: module?.hooks }
  const command = config.dev.value && url ? commandToTry({ url, ...placeOfSecret(secret, place) }) : undefined
  logStart({ service, config, module, ownInbox, secretFrom: secret?.source ?? module?.name, logger })
  if (command && printsMore(config)) console.error(`\n  Try it:  ${command}\n`)
  await notifyReady()
  await stopped
}

/** The permissions in the `config` of the module. @throws {Error} if they are invalid. */
function permissionsOf(module: HooksModule | undefined) {
  const { permissions } = (module?.config ?? {}) as { permissions?: unknown }
  return readPermissions(module?.name ?? '', permissions)
}

/** Traces all deliveries if `@opentelemetry/api` is installed. Without an SDK, nothing is recorded. */
async function traceIfInstalled(): Promise<void> {
  try {
    const { traceHooks } = await import('../telemetry/opentelemetry/index.ts')
    traceHooks()
  } catch (error) {
    if (!isMissingPackage(error)) throw error
  }
}

/**
 * Milliseconds within which two signals count as one. At Ctrl-C, the terminal signals npm and this process, and npm
 * forwards its signal to this process.
 */
const sameSignalMs = 500

/**
 * Closes the service at the first signal, or at the end of the script that started it, then ends the process. A second
 * signal ends the process immediately.
 */
async function stopOnSignal(service: Service, logger: FullLogger): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let signalledAt: number | undefined
  // SIGHUP, too: Node.js resets the signals that `nohup` ignores, so a closing terminal would kill the process.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (signalledAt !== undefined && performance.now() - signalledAt < sameSignalMs) return
      if (signalledAt !== undefined) process.exit(1)
      signalledAt = performance.now()
      logger.info({ signal }, 'Stopping: waiting for running handlers; send the signal again to exit now')
      resolve()
    })
  }
  onScriptEnd(() => {
    if (signalledAt !== undefined) return
    logger.info({}, 'Stopping: the npm script that started the server has ended; waiting for running handlers')
    resolve()
  })
  await promise
  await service.close()
  process.exit()
}

/**
 * After an uncaught exception, the state of the process is unknown, so the process exits. Its running attempts count as
 * attempts used, so that a task ends as dead if its handler always causes an uncaught exception.
 */
function exitIfUncaught(logger: FullLogger): void {
  process.on('uncaughtException', (err, origin) => {
    const [event, cure] =
      origin === 'unhandledRejection'
        ? ['Unhandled rejection', ': use await for each promise of a handler']
        : ['Uncaught exception', '']
    logger.error({ err }, `${event}, exiting; running attempts will be retried${cure}`)
    process.exit(1)
  })
}

interface Started {
  service: Service
  config: Config
  module: HooksModule | undefined
  /** The name of the inbox, if the module has one. */
  ownInbox: string | undefined
  secretFrom: string | undefined
  logger: FullLogger
}

function logStart({ service, config, module, ownInbox, secretFrom, logger }: Started): void {
  const { publicUrl, publicAddress, adminUrl, token, tokenFile } = service
  const { role, database, pull, pullEvery } = config
  const shown = ownInbox ?? shownDatabase(database.value)
  if (ownInbox && database.isGeneric) {
    logger.info(
      { database: shown },
      'DATABASE_URL is not used, because the module has an inbox; --database overrides it',
    )
  }
  if (publicUrl) logger.info({ url: publicUrl, secretFrom, database: shown }, `Receiving on ${publicAddress}`)
  else if (pull.value) {
    const pulled = { hooks: pull.value.map(formatTarget), every: pullEvery.value, database: shown }
    logger.info(pulled, "Pulling deliveries from GitHub's log")
  } else logger.info({ role: role.value, database: shown }, 'Running handlers')
  if (role.value !== 'receiver' && !module?.hooks.registrations.length) {
    const found = module
      ? `${module.name} has no handlers`
      : 'There is no hooks.ts, hooks.js or hooks.mjs in this folder'
    const cure = 'register a handler in a module, name the module, or pass --role receiver'
    logger.warn({}, `${found}, so this server runs no handlers: ${cure}`)
  }
  logger.info({ url: adminUrl, tokenFrom: tokenFile ?? 'the settings' }, 'Admin listener')
  // The log must not show the token.
  if (tokenFile && printsMore(config)) console.error(`\n  ${adminUrl}/#token=${token}`)
}

/** Whether the server prints more than its log. Programs read a log that is in JSON, or not on a terminal. */
const printsMore = ({ logFormat, logLevel }: Config): boolean =>
  process.stderr.isTTY === true && logFormat.value !== 'json' && logLevel.value !== 'silent'

/** The command that sends to a server with `--dev`. Lets `send` find the server, if possible without flags. */
function commandToTry(server: DevServer): string {
  const to = keepDevServer(server) ? '' : ` --to ${server.url}`
  const secret = (server.secretFile ?? server.secretVariable) ? '' : ' --secret <secret>'
  return `npx hookserver send push${to}${secret}`
}
