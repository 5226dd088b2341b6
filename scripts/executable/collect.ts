/** Collects the files that the executable contains. */
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import imagePackage from '../../deploy/image/package.json' with { type: 'json' }
import manifest from '../../package.json' with { type: 'json' }
import type { Contents } from './contents.ts'

const root = join(import.meta.dirname, '../..')

/** Files that no program needs: types, source maps, documents, and what packages have besides JavaScript. */
const unused = /\.(d\.[cm]?ts|[cm]?ts|map|md|flow|coffee|lua|yml)$/

/** @throws {Error} if a package is missing. */
export function collectFiles(): { contents: Contents; bytes: Buffer } {
  const own = globSync(['package.json', 'LICENSE', 'dist/**', 'templates/**'], { cwd: root })
    .filter((path) => !path.endsWith('.d.ts') && !path.startsWith(join('dist', 'testing', 'contract')))
    .map((path) => ({ from: join(root, path), path: join('node_modules', 'hookserver', path) }))
  const packages = packageFolders(Object.keys(imagePackage.dependencies)).flatMap(packageFiles)
  const sources = [...own, ...packages]
    .filter(({ from }) => statSync(from).isFile())
    .map(({ from, path }) => ({ path: path.split(sep).join('/'), bytes: readFileSync(from) }))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
  const files = sources.map(({ path, bytes }) => ({ path, size: bytes.length }))
  const bytes = Buffer.concat(sources.map((source) => source.bytes))
  const hash = createHash('sha256').update(JSON.stringify(files)).update(bytes).digest('hex').slice(0, 16)
  return { contents: { name: `${manifest.version}-${hash}`, files }, bytes }
}

/** Leaves out the packages inside a package, because they are packages of their own. */
function packageFiles(folder: string): { from: string; path: string }[] {
  return globSync('**', { cwd: join(root, folder), exclude: (path) => path === 'node_modules' })
    .filter((path) => !unused.test(path.split(sep).join('/')))
    .map((path) => ({ from: join(root, folder, path), path: join(folder, path) }))
}

/** The folders of the packages, and of all packages that they depend on, such as `node_modules/pg`. */
function packageFolders(names: readonly string[]): string[] {
  const folders = new Set(names.map((name) => findPackage(name, root)))
  for (const folder of folders) {
    const { dependencies = {} } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    for (const name of Object.keys(dependencies)) folders.add(findPackage(name, join(root, folder)))
  }
  return [...folders]
}

/** Finds a package as Node.js does: in `node_modules` of the folder, or of the nearest folder above it. */
function findPackage(name: string, folder: string): string {
  const candidate = join(folder, 'node_modules', name)
  if (existsSync(join(candidate, 'package.json'))) return relative(root, candidate)
  if (folder === root) throw new Error(`The package ${name} is missing. Run "npm ci".`)
  return findPackage(name, dirname(folder))
}
