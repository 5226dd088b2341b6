/** Modules of Probot apps. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isObject } from '../runtime/json.ts'
import type { ApplicationFunction } from './probot.ts'

/** The default export of a module, if it is a function. Code compiled from TypeScript may have it one level deeper. */
export function appFunctionOf(exports: unknown): ((...args: never[]) => unknown) | undefined {
  const { default: exported } = exports as { default?: unknown }
  const inner = (exported as { default?: unknown } | undefined)?.default
  const found = [exported, inner].find((value) => typeof value === 'function')
  return found as ((...args: never[]) => unknown) | undefined
}

/** The end of errors that a module causes if it exports a function, and is not meant to be an app. */
export const exportHooks = 'A module that is not a Probot app must export a Hooks, not a function'

/** Imports an app. @throws {Error} (rejects) if the module exports no function. */
export async function importApp(path: string): Promise<ApplicationFunction> {
  const app = appFunctionOf(await import(pathToFileURL(resolve(path)).href))
  if (app) return app as ApplicationFunction
  throw new Error(`${path} is not the module of an app: its default export must be a function`)
}

/**
 * The files of the apps in the member `probot.apps` of a package.json: paths, or names of packages.
 * @returns `undefined` if the file does not exist, or has no apps.
 * @throws {Error} if an app is not installed.
 */
export function appsInPackage(file: string): string[] | undefined {
  const { resolve: find } = createRequire(resolve(file))
  return listedApps(file)?.map((name) => find(String(name)))
}

/** Whether a package.json lists Probot apps. */
export const listsApps = (file: string): boolean => listedApps(file) !== undefined

function listedApps(file: string): unknown[] | undefined {
  const { probot } = readPackage(file)
  const apps = isObject(probot) ? probot.apps : undefined
  return Array.isArray(apps) && apps.length > 0 ? apps : undefined
}

function readPackage(file: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return {} // npm reports a file that is not valid
  }
}
