/**
 * Checks `dist` after a build: the number of modules that `hookserver` and `hookserver/node` load, the number of
 * published files, and that the entry points for the web load no `node:` module.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { npm } from './npm.ts'

const root = join(import.meta.dirname, '..')

/**
 * The maximum number of modules that `hookserver` and `hookserver/node` load together, including the modules of
 * packages. Each module takes half a millisecond.
 */
const maxModules = 3
const maxFiles = 92
/**
 * Files that must run without Node.js: entry points, a part of `hookserver/testing`, and the chunks that these files
 * import dynamically. The bundler of a Cloudflare Worker includes such chunks.
 */
const webEntries = [
  ...['index.js', 'adapters/web.js', 'adapters/hono.js', 'testing/contract/mounts.js'],
  ...['chunks/worker.js', 'chunks/github-client.js', 'chunks/fetch-meta.js', 'chunks/scheduler.js'],
  ...['chunks/run-command.js', 'chunks/bots.js', 'chunks/small-packages.js'],
]

/** The URLs of the modules that a program loads if it imports these files of `dist`. */
function loadedModules(...files: string[]): string[] {
  const program = `
    // Not imported: the hook does not see modules that are loaded already.
    const { registerHooks } = process.getBuiltinModule('node:module')
    const loaded = []
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
    for (const file of ${JSON.stringify(files)}) await import(file)
    console.log(JSON.stringify(loaded))`
  const args = ['--input-type=module', '--eval', program]
  return JSON.parse(execFileSync(process.execPath, args, { cwd: join(root, 'dist'), encoding: 'utf8' }))
}

function countPublishedFiles(): number {
  const args = ['pack', '--dry-run', '--ignore-scripts', '--json', '--loglevel', 'error']
  const [{ files }] = JSON.parse(npm(args, root))
  return files.filter(({ path }: { path: string }) => path.startsWith('dist/')).length
}

function* faults(modules: readonly string[], files: number): Generator<string> {
  if (modules.length > maxModules) {
    yield `hookserver and hookserver/node load ${modules.length} modules; the limit is ${maxModules}: ${modules.join(' ')}`
  }
  if (files > maxFiles)
    yield `The package has ${files} files in dist; the limit is ${maxFiles}: see \`chunks\` in scripts/bundle.ts`
  for (const entry of webEntries) {
    const builtin = loadedModules(`./${entry}`).filter((url) => url.startsWith('node:'))
    if (builtin.length > 0) yield `dist/${entry} loads ${builtin.join(', ')}`
  }
}

const modules = loadedModules('./index.js', './adapters/node.js').filter((url) => url.startsWith('file:'))
const files = countPublishedFiles()
const found = [...faults(modules, files)]
for (const fault of found) console.error(fault)
console.log(`bundle: ${modules.length} modules for hookserver and hookserver/node, ${files} files in dist`)
process.exitCode = found.length > 0 ? 1 : 0
