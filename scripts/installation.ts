/** Installs the package as users do, and measures what npm has installed. */
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { npm } from './npm.ts'

const repository = join(import.meta.dirname, '..')

/** The limits of an installation, without optional peer dependencies. A megabyte has 1,000,000 bytes. */
export const limits = { packages: 1, megabytes: 4.5 } as const

/** Packs the package, and installs it in an empty folder. @returns The path of the tarball. */
export function installPackage(folder: string): string {
  const run = (...args: string[]) => npm([...args, '--ignore-scripts', '--loglevel', 'error'], folder)
  const [{ filename }] = JSON.parse(run('pack', repository, '--json'))
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  run('install', '--no-package-lock', `./${filename}`)
  return join(folder, filename)
}

/** The number of packages in `node_modules`, and the size of their files. */
export function measureInstallation(folder: string): { packages: number; megabytes: number } {
  const entries = readdirSync(join(folder, 'node_modules'), { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  const manifests = files.filter((file) =>
    /\/node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/.test(file.replaceAll(sep, '/')),
  )
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0)
  return { packages: manifests.length, megabytes: bytes / 1e6 }
}
