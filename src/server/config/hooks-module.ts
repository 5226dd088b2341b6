import { existsSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { hooksBrand } from '../../adapters/mount.ts'
import type { Hooks } from '../../hooks.ts'
import { ConfigError } from './resolve-config.ts'

/** The user's module, with its handlers and its configuration. */
export interface HooksModule {
  /** As the command line names it. */
  name: string
  hooks: Hooks
  /** The export `config`, which has not been checked. */
  config: unknown
}

/**
 * Imports a JavaScript or TypeScript module that exports its `Hooks` as `default` or `hooks`. The module can import
 * `hookserver` even if its project has not installed it.
 * @throws {ConfigError} if the file does not exist. @throws {Error} that says what is wrong with the module.
 */
export async function loadModule(name: string): Promise<HooksModule> {
  assertModule(name)
  const file = resolve(name)
  resolveOwnPackage()
  let exports: { default?: unknown; hooks?: unknown; config?: unknown }
  try {
    exports = await import(pathToFileURL(file).href)
  } catch (cause) {
    throw new Error(`${name} cannot be imported: ${messageOf(cause)}`, { cause })
  }
  const hooks = [exports.default, exports.hooks].find(isHooks)
  if (hooks) return { name, hooks, config: exports.config }
  const names = Object.keys(exports)
  const found = names.length > 0 ? `it exports ${names.join(', ')}` : 'it exports nothing'
  throw new Error(`${name}: expected a Hooks as the export "default" or "hooks", and ${found}: export default hooks`)
}

/** @throws {ConfigError} if the file does not exist. */
export function assertModule(name: string): void {
  if (!existsSync(name)) throw new ConfigError([`${name}: there is no such file`])
}

function isHooks(value: unknown): value is Hooks {
  return typeof value === 'object' && value !== null && hooksBrand in value
}

let hooked = false

/** Resolves `hookserver` to this package if the module's project has none. */
function resolveOwnPackage(): void {
  if (hooked) return
  hooked = true
  registerHooks({
    resolve(specifier, context, next) {
      try {
        return next(specifier, context)
      } catch (error) {
        if (!/^hookserver(\/|$)/.test(specifier)) throw error
        return next(specifier, { ...context, parentURL: import.meta.url }) // a package may import itself by its name
      }
    },
  })
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as { code?: string }
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return `${error.message} (Node.js strips types, and knows no enums, namespaces or parameter properties)`
  }
  return error.message
}
