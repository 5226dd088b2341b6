/**
 * Checks the packages that `npm ci` installs for development: their size on disk, and that no lock file names a
 * registry, so that `npm ci` uses the registry that the machine is configured for.
 */
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

/** Megabytes on disk, as `du` counts them. The published package has limits of its own, in installation.ts. */
const maxMegabytes = 1000
const megabyte = 2 ** 20
const shownPackages = 10

const root = join(import.meta.dirname, '..')

/** Bytes by package. A file with several hard links counts once. */
function measurePackages(): Map<string, number> {
  const sizes = new Map<string, number>()
  const counted = new Set<number>()
  const modules = join(root, 'node_modules')
  for (const { parentPath, name } of readdirSync(modules, { recursive: true, withFileTypes: true })) {
    const [scope = '', rest = ''] = relative(modules, join(parentPath, name)).split(sep)
    if (scope.startsWith('.')) continue // caches of tools
    const { ino, blocks } = lstatSync(join(parentPath, name))
    if (counted.has(ino)) continue
    counted.add(ino)
    const owner = scope.startsWith('@') ? `${scope}/${rest}` : scope
    sizes.set(owner, (sizes.get(owner) ?? 0) + blocks * 512)
  }
  return sizes
}

const inMegabytes = (bytes: number): string => `${Math.round(bytes / megabyte)} MB`

const sizes = measurePackages()
const total = [...sizes.values()].reduce((sum, size) => sum + size, 0)
const lockFiles = ['.', 'bench/rivals', 'site', 'test/platforms', 'test/probot/published'].map((folder) =>
  join(folder, 'package-lock.json'),
)
const withHosts = lockFiles.filter((lock) => /"resolved": "\w+:/.test(readFileSync(join(root, lock), 'utf8')))

for (const lock of withHosts) {
  console.error(`${lock} names a registry. Install with \`npm install --omit-lockfile-registry-resolved\`.`)
}
if (total > maxMegabytes * megabyte) {
  const largest = [...sizes].toSorted(([, a], [, b]) => b - a).slice(0, shownPackages)
  console.error(
    `node_modules has ${inMegabytes(total)}; the limit is ${maxMegabytes} MB. Run \`npm ci\`, or replace a package:`,
  )
  for (const [name, size] of largest) console.error(`  ${name} ${inMegabytes(size)}`)
}
console.log(`dependencies: ${sizes.size} packages, ${inMegabytes(total)}`)
process.exitCode = total > maxMegabytes * megabyte || withHosts.length > 0 ? 1 : 0
