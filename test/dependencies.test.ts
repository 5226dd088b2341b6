/** SECURITY.md lists the dependencies and the code that loads them. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const { dependencies, peerDependencies, exports } = JSON.parse(read('package.json')) as {
  dependencies: Record<string, string>
  peerDependencies: Record<string, string>
  exports: Record<string, string | { default: string }>
}

const security = read('SECURITY.md')
const namesIn = (text = '') => [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
const rows = [...security.matchAll(/^\| (`[^|]+`) \| ([^|]+) \|$/gm)].map(([, names, loaders = '']) => ({
  names: namesIn(names),
  loaders,
}))
const documented = (loader: string) =>
  rows.filter(({ loaders }) => loaders.includes(loader)).flatMap(({ names }) => names)

/** The dependencies that the code of these files loads, with `import`, `export … from` or `import()`. */
function loadedBy(entries: readonly string[], known: readonly string[] = Object.keys(dependencies)): string[] {
  const files = new Set(entries)
  const packages = new Set<string>()
  for (const file of files) {
    const imports = read(file).matchAll(
      /^(?:import|export) (?!type )(?:[^'"]*? from )?'([^']+)'|(?<!typeof )\bimport\('([^']+)'\)/gm,
    )
    for (const [, now, later] of imports) {
      const specifier = now ?? later ?? ''
      if (specifier.startsWith('.')) files.add(join(dirname(file), specifier))
      const name = known.find((one) => specifier === one || specifier.startsWith(`${one}/`))
      if (name) packages.add(name)
    }
  }
  return [...packages].sort()
}

const sources = Object.entries(exports)
  .filter(([name]) => !name.endsWith('.json'))
  .map(([, entry]) => (entry as { default: string }).default.replace('./dist', 'src').replace(/\.js$/, '.ts'))

test('SECURITY.md lists all dependencies, and all optional peers', () => {
  expect(rows.flatMap(({ names }) => names).sort()).toEqual(Object.keys(dependencies).sort())
  const peers = /^The peer dependencies (.*) are optional/m.exec(security)?.[1]
  expect(namesIn(peers).sort()).toEqual(Object.keys(peerDependencies).sort())
  expect(Object.keys(dependencies)).toHaveLength(9) // SECURITY.md has this number as a word
})

test('SECURITY.md lists the dependencies of each part', () => {
  expect(sources).toContain('src/adapters/express.ts')
  expect(loadedBy(sources)).toEqual(documented('adapters').sort())
  const others = documented('all commands of the command line').concat(documented('`hookserver serve`'))
  expect(loadedBy(['src/cli/main.ts'])).toEqual([...new Set(others)].sort())
})
