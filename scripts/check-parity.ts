/**
 * Compares the file names of the two stores: a file must be in both, or be explained in CONTRIBUTING.md, in a row of the
 * table "Files that only one store has". Also checks that every file and folder mentioned in CONTRIBUTING.md exists.
 */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const stores = ['sqlite', 'postgres'] as const
const contributing = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')

const filesOf = (store: string): string[] => globSync('**/*.{ts,sql}', { cwd: join(root, 'src', store) })

/** The files of one store that CONTRIBUTING.md explains, from rows such as "| `src/sqlite/writer.ts` | … |". */
const explained = new Set(
  [...contributing.matchAll(/^\| (`src\/(?:sqlite|postgres)\/.+?) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`src\/([^`]+)`/g)].map(([, file = '']) => file),
  ),
)

function* differences(): Generator<string> {
  for (const [index, store] of stores.entries()) {
    const other = stores[1 - index] as string
    const others = new Set(filesOf(other))
    for (const file of filesOf(store)) {
      const path = `${store}/${file}`
      if (others.has(file) && explained.has(path)) yield `src/${path} is in both stores: remove it from CONTRIBUTING.md`
      if (others.has(file) || explained.has(path)) continue
      yield `src/${path} has no counterpart in src/${other}: give it the same name, or explain it in CONTRIBUTING.md`
    }
  }
}

function* missingPaths(): Generator<string> {
  const paths = contributing.matchAll(/`((?:src|test|dashboard|scripts|docs|examples|bench)\/[\w./*-]+)`/g)
  for (const [, path = ''] of paths) {
    const exists = path.includes('*') ? globSync(path, { cwd: root }).length > 0 : existsSync(join(root, path))
    if (!exists) yield `CONTRIBUTING.md names ${path}, which does not exist`
  }
}

const faults = [...differences(), ...missingPaths()]
for (const fault of faults) console.error(fault)
console.log(
  `parity: ${stores.map((store) => `${filesOf(store).length} files in src/${store}`).join(', ')}, ${faults.length} faults`,
)
process.exitCode = faults.length > 0 ? 1 : 0
