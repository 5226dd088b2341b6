import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Command } from 'commander'
import type { FullLogger } from '../logger.ts'
import {
  type Config,
  ConfigError,
  flagOf,
  resolveConfig,
  type SettingName,
  settings,
  variablesOf,
} from '../server/config.ts'
import { createLogger } from '../server/logging.ts'
import { type HooksModule, loadModule } from '../server/module.ts'
import { devSecretFile, keepRandom, readSecrets } from '../server/secret.ts'
import { type Service, serve } from '../server/serve.ts'
import { notifyReady } from '../server/systemd.ts'
import { UsageError } from './usage-error.ts'

type Flags = Partial<Record<SettingName, string | true>>

export function addServe(program: Command): void {
  const command = program
    .command('serve [module]')
    .summary('receive deliveries, and handle them with a module')
    .description(
      'Receives deliveries, stores them, and has the Hooks handle them that the module exports as "default" or "hooks".\n' +
        'Without a module everything is stored and nothing handled: retry it once you have one.',
    )
  for (const [name, { placeholder, help }] of Object.entries(settings)) {
    const variables = variablesOf(name as SettingName).join(', ')
    command.option(`${flagOf(name)} ${placeholder}`, `${help} [${variables}]`)
  }
  command.addHelpText('after', examples)
  command.action((module: string | undefined, flags: Flags) => start(module, flags))
}

const examples = `
A flag counts before its environment variable, in brackets, and that before the module's "export const config".

Examples:
  hookserver serve hooks.ts --dev                     try it on your own machine
  hookserver serve hooks.ts                           in production, the secret in GITHUB_WEBHOOKS_KEY
  hookserver serve --role receiver                    store, and leave the handling to another process:
  hookserver serve hooks.ts --role worker
  hookserver serve hooks.ts --trust-proxy loopback    behind nginx or Caddy on the same machine`

/** Set in the process that is started anew when the module changes. */
const watched = 'HOOKSERVER_WATCHED'

async function start(path: string | undefined, flags: Flags): Promise<void> {
  const given = Object.fromEntries(Object.entries(flags).map(([name, value]) => [name, String(value)]))
  const early = configOf({ flags: given, env: process.env })
  if (path !== undefined && early.dev.value && !process.env[watched]) return watch()
  const secret = findSecret(early)
  const module = path === undefined ? undefined : await loadModule(path)
  const config = module ? configOf({ flags: given, env: process.env, module }) : early
  const logger = createLogger(config.logLevel.value)
  const service = await serve({ config, module, secret: secret?.value, logger })
  const stopping = untilTold(service, logger)
  announce(service, config, module, secret?.source, logger)
  await notifyReady()
  await stopping
}

function configOf(layers: Parameters<typeof resolveConfig>[0]): Config {
  try {
    return resolveConfig(layers)
  } catch (error) {
    throw error instanceof ConfigError ? new UsageError(error.message) : error
  }
}

/**
 * The secret of whoever starts the server, if it is not the module's affair. It is set in the environment before the
 * module is imported, whose `new Hooks()` would have none otherwise.
 */
function findSecret({ secretFile, dev }: Config): { value: string | readonly string[]; source: string } | undefined {
  const { env } = process
  if (secretFile.value !== undefined) {
    const value = readSecrets(secretFile.value)
    env.GITHUB_WEBHOOKS_KEY = value[0]
    return { value, source: secretFile.value }
  }
  for (const name of ['GITHUB_WEBHOOKS_KEY', 'SECRET_KEY']) {
    if (env[name]) return { value: env[name], source: `the environment variable ${name}` }
  }
  if (!dev.value) return undefined
  const value = keepRandom(devSecretFile)
  env.GITHUB_WEBHOOKS_KEY = value
  return { value, source: devSecretFile }
}

/** Runs the same command once more, by Node.js's own watcher, which starts it anew when what it imports changes. */
async function watch(): Promise<void> {
  const args = ['--watch', '--watch-preserve-output', ...process.execArgv, ...process.argv.slice(1)]
  const child = spawn(process.execPath, args, { stdio: 'inherit', env: { ...process.env, [watched]: '1' } })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  const [code] = await once(child, 'exit')
  process.exitCode = code ?? 0
}

/** Resolves once it has been told to stop, and has stopped; told twice it leaves at once. */
async function untilTold(service: Service, logger: FullLogger): Promise<void> {
  let stopping = false
  const told = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1)
      stopping = true
      logger.info({ signal }, 'Stopping: what is under way is brought to its end; once more to leave at once')
      told.resolve()
    })
  }
  process.on('uncaughtException', (err) => void fail(err))
  process.on('unhandledRejection', (err) => void fail(err))
  const fail = async (err: unknown) => {
    logger.error({ err }, 'An error that nobody caught: what is running is given back, and the process ends')
    process.exitCode = 1
    if (stopping) return
    stopping = true
    told.resolve()
  }
  await told.promise
  await service.close()
  process.exit()
}

function announce(
  { publicUrl, adminUrl, token, tokenFile }: Service,
  { role, database, dev }: Config,
  module: HooksModule | undefined,
  secretSource: string | undefined,
  logger: FullLogger,
): void {
  const onTerminal = process.stderr.isTTY === true
  const from = secretSource ?? module?.name
  if (publicUrl) logger.info({ url: publicUrl, secretFrom: from, database: database.value }, 'Receiving')
  else logger.info({ role: role.value, database: database.value }, 'Handling')
  logger.info({ url: adminUrl, tokenFrom: tokenFile ?? 'the settings' }, 'For you')
  if (onTerminal && tokenFile) console.error(`\n  ${adminUrl}/#token=${token}`)
  if (dev.value && publicUrl) console.error('\n  Try it:  npx hookserver send push\n')
}
