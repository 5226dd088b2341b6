import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { appFunctionOf, appsInPackage } from './app-module.ts'
import { environmentWith, parseRunArguments, type ReceiveFlags, type RunFlags, type Variables } from './command-line.ts'
import { definedOnly, missingApp, readEnvironment, readKeyFile } from './environment.ts'
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
  const env = options.env ?? environmentWithFile()
  if (!Array.isArray(app)) return start(async () => [app], {}, { ...options, env })
  const { paths, flags } = parseRunArguments(app)
  return runFiles(paths, flags, { ...options, env })
}

/** As `run()`, with the modules of apps. Also loads the apps of the package.json in the current folder, each once. */
export function runFiles(paths: readonly string[], flags: RunFlags, options: RunOptions): Promise<Server> {
  const files = new Set([...(appsInPackage('package.json') ?? []), ...paths.map((path) => realpathSync(path))])
  return start(() => Promise.all([...files].map(importApp)), flags, options)
}

async function start(
  load: () => Promise<ApplicationFunction[]>,
  flags: RunFlags,
  { Octokit, log, env: given = {} }: RunOptions,
): Promise<Server> {
  const { env, options } = readFlags(flags, given)
  const own = { ...options, Octokit, log }
  const { PORT, HOST } = env
  const port = Number(PORT) || 3000
  const host = HOST || 'localhost'
  if (!own.appId) throw new Error(missingApp(env))
  if (!own.privateKey) throw new Error('The private key is missing: set PRIVATE_KEY or PRIVATE_KEY_PATH')
  const server = new Server({ Probot: Probot.defaults(own), port, host, log, webhookPath: own.webhookPath })
  for (const one of await load()) await server.load(one)
  await server.start()
  return server
}

/** The environment and the options of an app, with the values of flags in place of both. */
export function readFlags(
  { app, privateKey, secret, baseUrl, ...flags }: RunFlags & ReceiveFlags,
  given: Variables,
): { env: Variables; options: Options } {
  const key = privateKey === undefined ? undefined : readKeyFile(privateKey, '--private-key')
  const withoutKey = { ...given, PRIVATE_KEY: undefined, PRIVATE_KEY_PATH: undefined }
  const env = environmentWith(key === undefined ? given : withoutKey, flags)
  const own = definedOnly({ appId: app, privateKey: key, secret, baseUrl })
  return { env, options: { logLevel: 'info', ...definedOnly(readEnvironment(env, own)), ...own } }
}

function environmentWithFile(): NodeJS.ProcessEnv {
  try {
    process.loadEnvFile()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error // there is no .env
  }
  return process.env
}

/** @throws {Error} (rejects) if the module exports no function. */
export async function importApp(path: string): Promise<ApplicationFunction> {
  const app = appFunctionOf(await import(pathToFileURL(resolve(path)).href))
  if (app) return app as ApplicationFunction
  throw new Error(`${path} is not the module of an app: its default export must be a function`)
}
