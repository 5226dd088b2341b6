import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { appFunctionOf, appsInPackage } from './app-module.ts'
import { definedOnly, missingApp, readEnvironment } from './environment.ts'
import type { Logger } from './log.ts'
import type { ProbotOctokitClass } from './octokit.ts'
import type { Options } from './options.ts'
import { type ApplicationFunction, Probot } from './probot.ts'
import { Server } from './server.ts'

/** What `run()` uses instead of its defaults. */
export interface RunOptions {
  /** Default: `process.env`, with the file `.env` of the current folder. */
  env?: Variables | undefined
  Octokit?: ProbotOctokitClass | undefined
  log?: Logger | undefined
  [option: string]: unknown
}

/**
 * Serves an app on a port of its own, without an inbox. `hookserver serve` does so with an inbox.
 * @param app The function of the app, or the arguments of the command line: `run(process.argv)`.
 * @returns The server, which listens.
 * @throws {Error} (rejects) if there are no credentials, or no secret.
 */
export async function run(app: ApplicationFunction | string[], options: RunOptions = {}): Promise<Server> {
  const { Octokit, log } = options
  const env = options.env ?? environmentWithFile()
  const { paths, flags } = Array.isArray(app) ? parseArguments(app) : { paths: [], flags: {} as Variables }
  const own: Options = { logLevel: 'info', ...definedOnly(readEnvironment({ ...env, ...flags })), Octokit, log }
  const { PORT, HOST } = { ...env, ...flags }
  const port = Number(PORT) || 3000
  const host = HOST || 'localhost'
  if (!own.appId) throw new Error(missingApp(env))
  if (!own.privateKey) throw new Error('The private key is missing: set PRIVATE_KEY or PRIVATE_KEY_PATH')
  const server = new Server({ Probot: Probot.defaults(own), port, host, log, webhookPath: own.webhookPath })
  const apps = Array.isArray(app) ? await Promise.all(filesOf(paths).map(importApp)) : [app]
  for (const one of apps) await server.load(one)
  await server.start()
  return server
}

function environmentWithFile(): NodeJS.ProcessEnv {
  try {
    process.loadEnvFile()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error // there is no .env
  }
  return process.env
}

/** The flags of `probot run`, by the environment variable that each overrides. */
const variables = {
  app: { name: 'APP_ID', short: 'a' },
  'private-key': { name: 'PRIVATE_KEY_PATH', short: 'P' },
  secret: { name: 'WEBHOOK_SECRET', short: 's' },
  port: { name: 'PORT', short: 'p' },
  host: { name: 'HOST', short: 'H' },
  'webhook-path': { name: 'WEBHOOK_PATH', short: 'w' },
  'log-level': { name: 'LOG_LEVEL', short: 'L' },
} as const

type Variables = Readonly<Record<string, string | undefined>>

/** @throws {Error} if a flag is unknown, or if no app is named. */
function parseArguments(argv: readonly string[]): { paths: string[]; flags: Variables } {
  const options = Object.fromEntries(
    Object.entries(variables).map(([flag, { short }]) => [flag, { type: 'string', short }] as const),
  )
  const { values, positionals } = parseArgs({ args: argv.slice(2), options, allowPositionals: true })
  if (positionals.length === 0) throw new Error('Name the module of the app: run(["node", "run", "./index.js"])')
  const flags = Object.entries(values).map(([flag, value]) => [variables[flag as keyof typeof variables].name, value])
  return { paths: positionals, flags: Object.fromEntries(flags) }
}

/** The apps of the package.json in the current folder, and the named ones, each once. */
const filesOf = (paths: readonly string[]): string[] => [
  ...new Set([...(appsInPackage('package.json') ?? []), ...paths.map((path) => realpathSync(path))]),
]

/** @throws {Error} (rejects) if the module exports no function. */
async function importApp(path: string): Promise<ApplicationFunction> {
  const app = appFunctionOf(await import(pathToFileURL(resolve(path)).href))
  if (app) return app as ApplicationFunction
  throw new Error(`${path} is not the module of an app: its default export must be a function`)
}
