import { realpathSync } from 'node:fs'
import { appsInPackage, importApp } from './app-module.ts'
import { environmentWith, parseRunArguments, type RunFlags } from './command-line.ts'
import { definedOnly, missingApp, readEnvironment } from './environment.ts'
import type { Logger } from './log.ts'
import type { ProbotOctokitClass } from './octokit.ts'
import type { Options } from './options.ts'
import { type ApplicationFunction, Probot } from './probot.ts'
import { Server } from './server.ts'

/** What `run()` uses instead of its defaults. */
export interface RunOptions {
  /** Default: `process.env`, with the file `.env` of the current folder. */
  env?: Readonly<Record<string, string | undefined>> | undefined
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
  const { paths, flags } = Array.isArray(app) ? parseRunArguments(app) : { paths: [], flags: {} as RunFlags }
  const { baseUrl } = flags
  const env = environmentWith(options.env ?? environmentWithFile(), flags)
  const fromEnvironment = { ...definedOnly(readEnvironment(env)), ...(baseUrl && { baseUrl }) }
  const own: Options = { logLevel: 'info', ...fromEnvironment, Octokit, log }
  const { PORT, HOST } = env
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

/** The apps of the package.json in the current folder, and the named ones, each once. */
const filesOf = (paths: readonly string[]): string[] => [
  ...new Set([...(appsInPackage('package.json') ?? []), ...paths.map((path) => realpathSync(path))]),
]
