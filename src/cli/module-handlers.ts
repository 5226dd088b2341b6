import { generateKeyPairSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { type Command, Option } from 'commander'
import { readPermissions } from '../github/app/needs.ts'
import type { Permissions } from '../github/event-permissions.ts'
import { listsApps } from '../probot/app-module.ts'
import { assertModule } from '../server/config/hooks-module.ts'
import { ModuleError } from '../server/config/module-error.ts'
import { randomSecret } from '../server/config/secret-files.ts'
import { UsageError } from './flags.ts'

/** The handlers of a module, and the permissions that it declares. */
export interface ModuleHandlers {
  /** The event names that handlers are registered for. */
  names: readonly string[]
  /** The member `permissions` of the module's `config`, not checked yet. */
  permissions: unknown
  /** The path at which a server with the module receives deliveries. `false`: at any path. */
  path: string | false
}

export type ThreadAnswer = { handlers: ModuleHandlers } | { problem: { message: string; trace: string | undefined } }

export const defaultModules: readonly string[] = ['hooks.ts', 'hooks.js', 'hooks.mjs']

export const defaultNames = 'hooks.ts, hooks.js or hooks.mjs'

/**
 * The module with a default name in the current folder, else the package.json there if it lists Probot apps.
 * `undefined` if there is neither.
 */
export function defaultModule(): string | undefined {
  const found = defaultModules.find((name) => existsSync(name))
  return found ?? (listsApps('package.json') ? 'package.json' : undefined)
}

/** Makes the flag `--module` of other commands an error that names the argument. */
export function rejectModuleFlag(command: Command, path: string): Command {
  const reject = () => {
    throw new UsageError(
      `${path} has no --module: name the module without the flag, as in "hookserver ${path} hooks.ts"`,
    )
  }
  return command.addOption(new Option('--module <module>').hideHelp().argParser(reject))
}

/** The given module, otherwise the module with a default name in the current folder. @throws {UsageError} */
export function moduleOrDefault(given: string | undefined): string {
  const found = given ?? defaultModule()
  if (found !== undefined) return found
  throw new UsageError(
    `There is no ${defaultNames} in this folder: change to the folder of your project, or name the module with your handlers`,
  )
}

/**
 * The handlers of a module, with checked permissions. A thread imports the module. Until `app create` has created the
 * App, the environment may have no secret and no key. The thread gets random values for those that are missing.
 * `app create` later imports the module with the real secret and key, in the main thread.
 * @throws {Error} that says why the module cannot be used.
 */
export async function handlersOf(path: string): Promise<ModuleHandlers & { permissions: Permissions }> {
  assertModule(path)
  const handlers = await readHandlers(path)
  return { ...handlers, permissions: readPermissions(path, handlers.permissions) }
}

async function readHandlers(path: string): Promise<ModuleHandlers> {
  const { promise, resolve, reject } = Promise.withResolvers<ThreadAnswer>()
  const set = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== '')) // empty means not set
  const thread = new Worker(programFile(), { workerData: path, env: { ...placeholders(), ...set } })
  thread.once('message', resolve)
  thread.once('error', reject)
  thread.once('exit', (code) => reject(new Error(`${path} ended the process (${code}) while it was imported`)))
  try {
    const answer = await promise
    if ('handlers' in answer) return answer.handlers
    throw new ModuleError(answer.problem.message, answer.problem.trace)
  } finally {
    await thread.terminate()
  }
}

/** The program in `dist`, or in `src` if hookserver runs from its sources. */
function programFile(): URL {
  const built = new URL('../cli/handlers-thread.js', import.meta.url)
  return existsSync(built) ? built : new URL('../cli/handlers-thread.ts', import.meta.url)
}

/**
 * Values with which a module can be imported before there is an App. They never leave this process. The key is short,
 * because it signs nothing, and generating one of the usual length takes 100 ms.
 */
function placeholders(): Record<string, string> {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 1024,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  })
  return {
    GITHUB_WEBHOOKS_KEY: randomSecret(),
    GITHUB_APP_ID: '1',
    GITHUB_APP_PRIVATE_KEY: privateKey,
    GITHUB_CLIENT_ID: 'Iv1.0000000000000000',
    GITHUB_CLIENT_SECRET: randomSecret(),
  }
}
