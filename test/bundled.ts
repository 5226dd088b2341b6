import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'rolldown'
import manifest from '../package.json' with { type: 'json' }
import { setup } from './build.ts'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'node_modules/.cache/hookserver-programs')
const chunks = join(root, 'dist/chunks')

/**
 * Bundles a program that tests start many times. Node.js would read hundreds of files of `src` in each process, and strip
 * their types. The threads of an inbox run the programs in `dist`.
 * @returns the path of the bundle.
 */
export async function bundled(program: string): Promise<string> {
  if (process.env.VITEST === undefined) setup() // Vitest has already called it
  const { output } = await build({
    input: program,
    write: false,
    platform: 'node',
    external: Object.keys(manifest.peerDependencies),
    // Modules of `src` find other files as in a chunk of `dist`.
    transform: {
      define: {
        'import.meta.url': JSON.stringify(pathToFileURL(join(chunks, 'program.js')).href),
        'import.meta.dirname': JSON.stringify(chunks),
      },
    },
    output: { codeSplitting: false },
  })
  const path = join(folder, relative(root, program)).replace(/\.ts$/, '.js')
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.${process.pid}`, output[0].code)
  renameSync(`${path}.${process.pid}`, path) // another process may be reading the file
  return path
}
