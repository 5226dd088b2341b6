import { existsSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { hooksBrand } from '../../adapters/mount.ts'
import type { Hooks } from '../../hooks.ts'
import { type Config, ConfigError } from './resolve-config.ts'
import { type FoundSecret, findServerSecret } from './server-secret.ts'

/** The user's module: its handlers and its configuration. */
export interface HooksModule {
  /** The path of the module, as on the command line. */
  name: string
  hooks: Hooks
  /** The export `config`, not checked yet. */
  config: unknown
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
 * Finds the secret, and imports the module. The secret is first, because `new Hooks()` in the module needs it.
 * @param configOf Reads the settings, with those of the module once it is imported.
 * @throws {ConfigError} @throws {Error} that says what to do.
 */
export async function loadWithConfig(
  name: string | undefined,
  configOf: (module?: HooksModule) => Config,
): Promise<ModuleWithConfig> {
  const early = configOf()
  const secret = findServerSecret(early)
  if (name === undefined) return { module: undefined, config: early, secret }
  const module = await loadModule(name)
  return { module, config: configOf(module), secret }
}

interface ModuleExports {
  default?: unknown
  hooks?: unknown
  config?: unknown
}

/**
 * Imports a JavaScript or TypeScript module that exports a `Hooks` as `default` or `hooks`. The module can import
 * `hookserver` even if its project has not installed it.
 * @throws {ConfigError} if the file does not exist. @throws {Error} that explains any other problem.
 */
export async function loadModule(name: string): Promise<HooksModule> {
  assertModule(name)
  const file = resolve(name)
  resolveOwnPackage()
  let exports: ModuleExports
  try {
    exports = await importUntilIdle(pathToFileURL(file).href)
  } catch (cause) {
    throw new Error(`Cannot import ${name}: ${messageOf(cause)}`, { cause })
  }
  const hooks = [exports.default, exports.hooks].find(isHooks)
  if (hooks) return { name, hooks, config: exports.config }
  const names = Object.keys(exports)
  const found = names.length > 0 ? `it exports ${names.join(', ')}` : 'it exports nothing'
  throw new Error(`${name} must export a Hooks as "default" or "hooks", but ${found}: add "export default hooks"`)
}

/**
 * Imports a module. Without the check, Node.js would end the process, and would name a line of hookserver.
 * @throws {Error} if the process has nothing left to do before the import has ended.
 */
async function importUntilIdle(url: string): Promise<ModuleExports> {
  const { promise: idle, reject } = Promise.withResolvers<never>()
  const onIdle = () => reject(new Error('a top-level await in this module, or in one of its imports, never settles'))
  process.once('beforeExit', onIdle)
  try {
    return await Promise.race([import(url), idle])
  } finally {
    process.off('beforeExit', onIdle)
  }
}

/** The event names that the handlers of a module are registered for. */
export const eventNamesOf = ({ hooks }: Pick<HooksModule, 'hooks'>): string[] =>
  hooks.registrations.flatMap(({ events }) => events)

/** @throws {ConfigError} if the file does not exist. */
export function assertModule(name: string): void {
  if (!existsSync(name)) throw new ConfigError([`${name}: the file does not exist`])
}

function isHooks(value: unknown): value is Hooks {
  return typeof value === 'object' && value !== null && hooksBrand in value
}

let hooked = false

/** Resolves `hookserver` to this package if the project of the module has not installed it. */
function resolveOwnPackage(): void {
  if (hooked) return
  hooked = true
  registerHooks({
    resolve(specifier, context, next) {
      try {
        return next(specifier, context)
      } catch (error) {
        if (!/^hookserver(\/|$)/.test(specifier)) throw error
        return next(specifier, { ...context, parentURL: import.meta.url }) // a package can import itself by its name
      }
    },
  })
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as { code?: string }
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return `${error.message} (Node.js only strips types: it does not support enums, namespaces or parameter properties)`
  }
  if (error.message.startsWith('No secret:')) {
    const cure = 'set GITHUB_WEBHOOKS_KEY, for example in .env, or --secret-file'
    const note = 'config.secretFile does not help, because hookserver reads config only after the import'
    return `No secret: ${cure}. ${note}. "serve --dev" generates a secret for this machine`
  }
  return error.message
}
