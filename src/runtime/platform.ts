/**
 * Access to the platform for the core, for example to environment variables and to the modules of Node.js. This file
 * imports no `node:` module, because some platforms do not have these modules.
 */

/**
 * The version in package.json, repeated here because this code also runs where no file can be read. A test compares
 * this version with package.json.
 */
export const version = '0.1.0'

interface Platform {
  navigator?: { userAgent?: string }
  process?: {
    env?: Record<string, string | undefined>
    getBuiltinModule?(id: string): unknown
    constrainedMemory?(): number
  }
}

/** A module of Node.js, such as `node:fs`; `undefined` on a platform that does not have it. */
export function builtinModule<Module>(id: string): Module | undefined {
  try {
    return (globalThis as Platform).process?.getBuiltinModule?.(id) as Module | undefined
  } catch {
    return undefined // some platforms have the function without the module
  }
}

/** An environment variable, on a platform that has them. */
export function environmentVariable(name: string): string | undefined {
  try {
    return (globalThis as Platform).process?.env?.[name]
  } catch {
    return undefined // Deno without --allow-env
  }
}

/** The memory limit of the process in bytes, such as that of its container. `Infinity` if it has none, or none is known. */
export function memoryLimit(): number {
  try {
    return (globalThis as Platform).process?.constrainedMemory?.() || Number.POSITIVE_INFINITY
  } catch {
    return Number.POSITIVE_INFINITY // Deno without --allow-sys
  }
}

/**
 * Whether `next build` runs this code. It imports all routes to analyze them, so an inbox must not open its database, and
 * no handler may run.
 */
export const isNextBuild = (): boolean => environmentVariable('NEXT_PHASE') === 'phase-production-build'

/**
 * Whether an import failed because its package is not installed. Node.js, Bun and Deno use the code
 * `ERR_MODULE_NOT_FOUND`. Yarn's Plug'n'Play uses the code of `require()`. The error of Workers has no code.
 */
export function isMissingPackage(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  if (code === undefined) return String(message).startsWith('No such module')
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
}

/** Whether this is Cloudflare Workers, where requests cannot share timers. */
export const runsOnWorkers: boolean = (globalThis as Platform).navigator?.userAgent === 'Cloudflare-Workers'
