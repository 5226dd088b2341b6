import { realpathSync, statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { isMountable } from '../../adapters/mount.ts'
import { splitName } from '../../events.ts'
import type { Hooks } from '../../hooks.ts'
import { appFunctionOf, appsInPackage, exportHooks } from '../../probot/app-module.ts'
import type { ApplicationFunction } from '../../probot/probot.ts'
import type { ServedApps } from '../../probot/served-app.ts'
import { isObject } from '../../runtime/json.ts'
import { isMissingPackage } from '../../runtime/platform.ts'
import { scheduleEvent } from '../../schedules/schedule.ts'
import { moduleError } from './module-error.ts'
import { failedImportOf, followImports } from './module-imports.ts'
import { type Config, ConfigError } from './resolve-config.ts'
import { configuredApiUrl } from './server-options.ts'
import { type FoundSecret, findServerSecret, keepDevSecret, serverSecret } from './server-secret.ts'

/** The user's module: its handlers and its configuration. */
export interface HooksModule {
  /** The path of the module, as on the command line. */
  name: string
  hooks: Hooks
  /** The export `config`, not checked yet. */
  config: unknown
  /** Replies to requests for paths that a Probot app has added. */
  others?: ServedApps['others']
}

/** A module with the settings and the secret of the server that runs it. */
interface ModuleWithConfig {
  /** `undefined` for a server without a module. */
  module: HooksModule | undefined
  config: Config
  /** `undefined` if the server uses the secret of the module. */
  secret: FoundSecret<string | readonly string[]> | undefined
}

/**
 * Finds the secret, and imports the module. `new Hooks()` in the module needs a secret, so the search is first.
 * @param configOf Reads the settings, with those of the module once it is imported.
 * @throws {ConfigError} @throws {Error} that says what to do.
 */
export async function loadWithConfig(
  name: string | undefined,
  configOf: (module?: HooksModule | 'pending') => Config,
): Promise<ModuleWithConfig> {
  const early = configOf(name === undefined ? undefined : 'pending')
  const found = findServerSecret(early)
  const module = name === undefined ? undefined : await loadModule(name, configuredApiUrl(early))
  const secret = serverSecret(found, module?.hooks)
  keepDevSecret(secret)
  return { module, config: module ? configOf(module) : early, secret }
}

interface ModuleExports {
  default?: unknown
  hooks?: unknown
  config?: unknown
}

/**
 * Imports a JavaScript or TypeScript module that exports a `Hooks` as `default` or `hooks`, or the function of a Probot
 * app as `default`. The module can import `hookserver` even if its project has not installed it.
 * @param name The file. A package.json stands for the Probot apps that it lists.
 * @param apiUrl The address of GitHub's API for a Probot app, which may send requests while it is loaded.
 * @throws {ConfigError} if the file does not exist. @throws {ModuleError} if the import fails. @throws {Error} if the
 *   module exports neither a `Hooks` nor an app.
 */
export async function loadModule(name: string, apiUrl?: string): Promise<HooksModule> {
  assertModule(name)
  followImports()
  if (basename(name) === 'package.json') return loadPackage(name, apiUrl)
  const exports = await importModule(name)
  // CommonJS code that was compiled from ES modules has its exports one level deeper.
  const inner: ModuleExports = isObject(exports.default) ? exports.default : {}
  const { config = inner.config } = exports
  const hooks = [exports.default, exports.hooks, inner.default, inner.hooks].find(isMountable)
  if (hooks) return { name, hooks: hooks as Hooks, config }
  const app = appFunctionOf(exports)
  if (app) {
    // As in "probot run", which also loads the apps of the package.json in the current folder.
    const others = (appsInPackage('package.json') ?? []).filter((file) => file !== realpathSync(name))
    const apps = [...(await importApps(others, 'package.json')), app as ApplicationFunction]
    return { name, config, ...(await loadProbotApps(name, apps, apiUrl)) }
  }
  const names = Object.keys(exports)
  const found = names.length > 0 ? `it exports ${names.join(', ')}` : 'it exports nothing'
  throw new Error(
    `${name} must export a Hooks as "default" or "hooks", or a Probot app as "default", but ${found}: add "export default hooks"`,
  )
}

/** @throws {ModuleError} if the import fails. */
async function importModule(name: string): Promise<ModuleExports> {
  try {
    return await importUntilIdle(pathToFileURL(resolve(name)).href)
  } catch (cause) {
    throw moduleError(`Cannot import ${name}`, cause)
  }
}

/** Imports the Probot apps that a package.json lists. */
async function loadPackage(name: string, apiUrl: string | undefined): Promise<HooksModule> {
  const files = appsInPackage(name)
  if (!files)
    throw new Error(`${name} lists no Probot apps: add "probot": { "apps": ["./index.js"] }, or name a module`)
  return { name, config: undefined, ...(await loadProbotApps(name, await importApps(files, name), apiUrl)) }
}

/** @param manifest The package.json that lists the files. */
async function importApps(files: readonly string[], manifest: string): Promise<ApplicationFunction[]> {
  const apps: ApplicationFunction[] = []
  for (const file of files) {
    const app = appFunctionOf(await importModule(file))
    if (!app) throw new Error(`${file} must export a Probot app as "default", because ${manifest} lists it`)
    apps.push(app as ApplicationFunction)
  }
  return apps
}

/** @throws {ModuleError} if the package `octokit` is missing, or if an app fails. */
async function loadProbotApps(
  name: string,
  apps: ApplicationFunction[],
  apiUrl: string | undefined,
): Promise<ServedApps> {
  try {
    const { loadApps } = await import('../../probot/served-app.ts')
    return await loadApps(apps, apiUrl)
  } catch (cause) {
    const problem = `Cannot load the Probot app ${name}`
    if (!isMissingPackage(cause) || failedImportOf(cause as Error)?.specifier !== 'octokit')
      throw moduleError(problem, cause)
    throw new Error(`${problem}: it needs the package "octokit": npm install octokit. ${exportHooks}`, { cause })
  }
}

/**
 * Imports a module. Without the checks, Node.js would end the process, and would name lines of hookserver.
 * @throws {Error} if code that the import has started throws, or rejects a promise that nothing awaits.
 * @throws {Error} if the process has nothing left to do before the import has ended.
 */
async function importUntilIdle(url: string): Promise<ModuleExports> {
  const { promise: failed, reject } = Promise.withResolvers<never>()
  const onIdle = () => reject(new Error('a top-level await in this module, or in one of its imports, never settles'))
  process.once('beforeExit', onIdle)
  process.on('uncaughtException', reject)
  try {
    const exports = await Promise.race([import(url), failed])
    await Promise.race([setImmediate(), failed]) // Node.js emits unhandled rejections after the microtasks
    return exports
  } finally {
    process.off('beforeExit', onIdle)
    process.off('uncaughtException', reject)
  }
}

/** The names of GitHub's events that the handlers of a module are registered for. */
export const eventNamesOf = ({ hooks }: Pick<HooksModule, 'hooks'>): string[] =>
  hooks.registrations.flatMap(({ events }) => events).filter((name) => splitName(name)[0] !== scheduleEvent)

/** @throws {ConfigError} if there is no file with this name. */
export function assertModule(name: string): void {
  const stats = statSync(name, { throwIfNoEntry: false })
  if (stats === undefined) throw new ConfigError([`${name}: the file does not exist`])
  if (stats.isDirectory()) throw new ConfigError([`${name} is a folder: name the module in it, such as hooks.ts`])
}
