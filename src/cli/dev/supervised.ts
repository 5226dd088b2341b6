/** The child process of `serve --dev`. */
import { findPackageJSON, registerHooks } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packageIn } from '../../server/config/module-imports.ts'
import { versionOf } from '../../server/config/watch-secrets.ts'

/** Set in the environment of the child process. */
export const supervisedVariable = 'HOOKSERVER_SUPERVISED'

/** A message of the child process: it reads a file. */
export interface FileRead {
  path: string
  /** The version of the file before the child process read it. */
  version: string
}

/** A message of the child process: no change of a file lets the server start. */
interface StartFailed {
  startFailed: true
}

/** Tells the supervisor, if there is one, to end. */
export async function endSupervisor(): Promise<void> {
  const message: StartFailed = { startFailed: true }
  if (process.connected) await new Promise((resolve) => process.send?.(message, resolve))
}

/**
 * Reports the imports of the module to the supervisor, and ends with the supervisor.
 * @returns False if this process has no supervisor.
 */
export function followSupervisor(): boolean {
  const { channel, env } = process
  if (!channel || !env[supervisedVariable]) return false
  delete env[supervisedVariable] // for the programs that handlers run
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  channel.unref()
  registerHooks({
    resolve(specifier, context, next) {
      try {
        const resolved = next(specifier, context)
        report(resolved.url)
        return resolved
      } catch (error) {
        if (/^(\.{0,2}\/|file:)/.test(specifier)) report(URL.parse(specifier, context.parentURL)?.href)
        else reportPackage(specifier, context.parentURL)
        throw error
      }
    },
  })
  return true
}

/** Reports an imported file, which may be missing. Leaves out packages, which have too many files and rarely change. */
function report(url = ''): void {
  if (url.startsWith('file:') && !url.includes('/node_modules/')) reportFile(fileURLToPath(url))
}

/** Reports the files that change when a missing package is installed. npm writes the second one when it has finished. */
function reportPackage(specifier: string, importer = ''): void {
  const manifest = importer.startsWith('file:') ? findPackageJSON(importer) : undefined
  const name = packageIn(specifier)
  if (manifest === undefined || name === undefined) return
  for (const file of [`${name}/package.json`, '.package-lock.json']) {
    reportFile(join(dirname(manifest), 'node_modules', file))
  }
}

function reportFile(path: string): void {
  if (!process.connected) return
  const message: FileRead = { path, version: versionOf(path) }
  process.send?.(message)
}
