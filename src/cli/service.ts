import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { textOf } from '../github/target.ts'
import type { Config } from '../server/config.ts'
import { createLogger } from '../server/logging.ts'
import { type HooksModule, loadModule } from '../server/module.ts'
import { type Service, serve } from '../server/serve.ts'
import { shownDatabase } from '../server/settings/database.ts'
import { notifyReady } from '../server/systemd.ts'
import type { FullLogger } from '../telemetry/logger.ts'
import { configOf, type Flags, findSecret } from './starting.ts'

/** Set in the process that is started anew when the module changes. */
const watched = 'HOOKSERVER_WATCHED'

/** Serves until it is told to stop. */
export async function runService(path: string | undefined, flags: Flags): Promise<void> {
  const early = configOf(flags)
  if (path !== undefined && early.dev.value && !process.env[watched]) return watch()
  const secret = findSecret(early)
  const module = path === undefined ? undefined : await loadModule(path)
  const config = module ? configOf(flags, module) : early
  const logger = createLogger(config.logLevel.value)
  const service = await serve({ config, module, secret: secret?.value, logger })
  const stopped = untilTold(service, logger)
  announce(service, config, module, secret?.source, logger)
  await notifyReady()
  await stopped
}

/** Runs the same command once more, by Node.js's own watcher, which starts it anew when what it imports changes. */
async function watch(): Promise<void> {
  const args = ['--watch', '--watch-preserve-output', ...process.execArgv, ...process.argv.slice(1)]
  const child = spawn(process.execPath, args, { stdio: 'inherit', env: { ...process.env, [watched]: '1' } })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  const [code] = await once(child, 'exit')
  process.exitCode = code ?? 0
}

/** Milliseconds in which a second signal is the first once more: a terminal tells all processes, and npm tells its own. */
const echo = 500

/** Resolves once it has been told to stop, and has stopped; told twice it leaves at once. */
async function untilTold(service: Service, logger: FullLogger): Promise<void> {
  const told = Promise.withResolvers<void>()
  let toldAt: number | undefined
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (toldAt !== undefined && performance.now() - toldAt < echo) return
      if (toldAt !== undefined) process.exit(1)
      toldAt = performance.now()
      logger.info({ signal }, 'Stopping: what is under way is brought to its end; once more to leave at once')
      told.resolve()
    })
  }
  // Nobody knows what is still sound. What ran counts as an attempt, so that a delivery that does this ends dead.
  process.on('uncaughtException', (err) => {
    logger.error({ err }, 'An error that nobody caught: the process ends, and what it was doing is done again')
    process.exit(1)
  })
  await told.promise
  await service.close()
  process.exit()
}

function announce(
  { publicUrl, adminUrl, token, tokenFile }: Service,
  { role, database, dev, pull, pullEvery }: Config,
  module: HooksModule | undefined,
  secretSource: string | undefined,
  logger: FullLogger,
): void {
  const onTerminal = process.stderr.isTTY === true
  const shown = shownDatabase(database.value)
  const from = secretSource ?? module?.name
  if (publicUrl) logger.info({ url: publicUrl, secretFrom: from, database: shown }, 'Receiving')
  else if (pull.value) {
    const pulled = { hooks: pull.value.map(textOf), every: pullEvery.value, database: shown }
    logger.info(pulled, "Taking deliveries from GitHub's log, and listening to nobody")
  } else logger.info({ role: role.value, database: shown }, 'Handling')
  logger.info({ url: adminUrl, tokenFrom: tokenFile ?? 'the settings' }, 'For you')
  if (onTerminal && tokenFile) console.error(`\n  ${adminUrl}/#token=${token}`)
  if (dev.value && publicUrl) console.error('\n  Try it:  npx hookserver send push\n')
}
