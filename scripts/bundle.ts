/**
 * Bundles `src`, and the packages that only the command line and the server need, into `dist`. One build bundles the
 * code of all entry points, so that they share chunks. A second build bundles their types, from the declarations that
 * `tsc` has written. Also copies the files that the code reads at run time.
 */
import { chmodSync, cpSync, globSync, rmSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, join } from 'node:path'
import { type BuildOptions, build, type OutputChunk, type Plugin } from 'rolldown'
import { minifySync } from 'rolldown/utils'
import { dts } from 'rolldown-plugin-dts'
import manifest from '../package.json' with { type: 'json' }
import { licenses } from './licenses.ts'
import { payloadTypes } from './payload-types.ts'

const root = join(import.meta.dirname, '..')

/** The `outDir` of `tsconfig.build.json`. */
const declarations = 'node_modules/.cache/hookserver-types'

/**
 * The files of the subpaths of the package, such as `adapters/node`. They are in the same place in `src` and `dist`.
 */
const subpaths = Object.values(manifest.exports)
  .filter((entry) => typeof entry === 'object')
  .map((entry) => entry.default.replace(/^\.\/dist\/|\.js$/g, ''))

/** Files that are started by their path: the command, and the programs of threads. */
const programs = ['cli/main', 'cli/handlers-thread', 'sqlite/thread', 'postgres/thread']

/**
 * Entry points that only tests import. They are not published. The file `mounts` has the webhook endpoints that the
 * adapter contract sends requests to. Tests use the file on platforms without `node:` modules. There, they cannot use
 * `hookserver/testing`, which needs such modules.
 */
const forTests = ['testing/contract/mounts']

/** `markdown-it`, its plugin and its dependencies. They parse the comments in which commands are found. */
const markdownPackages = [
  ...['markdown-it', 'markdown-it-footnote', 'entities', 'linkify-it', 'mdurl', 'punycode.js', 'uc.micro'],
]

/** Modules that only call a package. */
const wrappers = /\/src\/(?:probot\/merge|dispatch\/path-filter)\.ts$/

/**
 * Code that several entry points share; the first match applies. Code that only one entry point needs is in the file of
 * that entry point, or in the chunk of a dynamic import.
 *
 * All chunks are in `dist/chunks`. So a module that finds another file by `import.meta.url` uses a path that goes
 * through the parent folder, such as `../sqlite/schema.sql`: it is valid in a folder of `src` and in `dist/chunks`.
 */
const chunks = [
  // A program with `hookserver` and an adapter loads three files: their two entry points and this chunk.
  { name: 'receiver', test: /\/src\/(index|adapters\/(node|web|incoming|outgoing|web-request))\.ts$/ },
  // Not in the chunk `inbox`, which needs Node.js. The receiver has a dynamic import that leads to these files. A bundler
  // for Cloudflare Workers follows that import, and must not reach code that needs Node.js.
  // `run` of `hookserver/testing` needs some of them too.
  {
    name: 'portable',
    test: /\/src\/(inbox\/(parsed-size|retry|worker\/(payload|attempt))|schedules\/(stored-schedules|operate))\.ts$/,
  },
  { name: 'github-client', test: /\/src\/github\/github-client\.ts$/ },
  { name: 'fetch-meta', test: /\/src\/receiver\/github-meta\.ts$/ },
  // What `checks()`, `config()` and the changed files of a delivery need. Not in the chunk `runtime`, which needs Node.js.
  { name: 'bots', test: /\/src\/(bots\/|runtime\/config-file\.ts)/ },
  { name: 'runtime', test: /\/src\/(runtime|samples)\//, minShareCount: 2 },
  // Not in the chunk `probot`, which needs the package `octokit`: commands read the list of apps and flags without it.
  { name: 'probot-modules', test: /\/src\/probot\/(app-module|command-line)\.ts$/ },
  // Not in the chunk `probot`, which needs it, too.
  { name: 'lambda', test: /\/src\/adapters\/lambda\.ts$/ },
  { name: 'probot', test: /\/src\/probot\/(?!index\.ts|merge\.ts)/ },
  // Also contains two files of `postgres`, which the command line and the search thread load without `pg`.
  { name: 'inbox', test: /\/src\/(inbox\/|postgres\/(options|contents)\.ts)/, minShareCount: 2 },
  ...['sqlite', 'postgres', 'github', 'server'].map((folder) => {
    return { name: folder, test: new RegExp(`/src/${folder}/`), minShareCount: 2 }
  }),
  { name: 'small-packages', test: new RegExp(`/node_modules/(croner|deepmerge)/|${wrappers.source}`) },
  { name: 'markdown', test: new RegExp(`/node_modules/(${markdownPackages.join('|')})/`) },
  // Not in the chunk `serve`, because it is minified.
  { name: 'server-packages', test: /\/node_modules\/(@hono|hono|pino|@valibot\/to-json-schema)\// },
  { name: 'serve', test: /\/src\/server\/(serve|logging)\.ts$/ },
  // Each command loads it, so it has all files of the command line that other chunks need, too.
  { name: 'program', test: /\/src\/cli\/(program|output|table|flags|admin-client|send\/requests)\.ts$/ },
  { name: 'send', test: /\/src\/cli\/send\/(sender|summary|list-samples)\.ts$/ },
  // The command `hookserver github` needs it without the contracts of `hookserver/testing`. A chunk takes the modules that
  // its own modules import, if no chunk above has them.
  { name: 'local-github', test: /\/src\/testing\/github\//, minShareCount: 2 },
]

/** The packages that users may have besides hookserver. All others become part of `dist`. */
const installed = manifest.peerDependencies

/**
 * The packages that a subpath may load with a dynamic import: `croner` computes the times of schedules, and
 * `deepmerge` merges the files of a Probot app.
 */
const loadedOnDemand = ['croner', 'deepmerge', ...markdownPackages]

/**
 * Minifies the chunks that have only code of packages, because the size of an installation is limited. The other chunks
 * keep their lines and names, which a stack trace shows. The chunks of `hookserver/testing` and of the commands, whose
 * code handles no delivery, keep only the names of their functions.
 */
const minifyPackages: Plugin = {
  name: 'minify-packages',
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== 'chunk') continue
      const handlesNoDelivery = ['local-github', 'testing/index', 'program', 'send'].includes(chunk.name)
      if (!handlesNoDelivery && !chunk.moduleIds.every(isOfPackage)) continue
      const options = handlesNoDelivery ? { compress: false, mangle: { keepNames: true } } : {}
      chunk.code = minifySync(chunk.fileName, chunk.code, options).code.replace(/[^\0-\x7F]/g, toEscape)
    }
  },
}

const isOfPackage = (id: string): boolean => id.includes('/node_modules/') || wrappers.test(id.replaceAll('\\', '/'))

/** The chunks that `directImports` has removed, and those that have their code. */
const targets = new Map<string, string>()

/**
 * A dynamic import of a module in a shared chunk loads a chunk that only exports the names of this module again. Removes
 * these chunks, and imports the shared chunks directly.
 */
const directImports: Plugin = {
  name: 'direct-imports',
  generateBundle(_options, bundle) {
    const all = Object.values(bundle).filter((file) => file.type === 'chunk')
    for (const { fileName, isEntry, moduleIds, imports, code } of all) {
      const [target = ''] = imports
      const hasSameNames = imports.length === 1 && !/\bas\b/.test(code)
      if (isEntry || moduleIds.length > 0 || !hasSameNames) continue
      const specifier = new RegExp(`(?<=\\bimport\\(["'\`][./a-z]*/)${basename(fileName)}(?=["'\`])`, 'g')
      for (const importing of all) importing.code = importing.code.replace(specifier, basename(target))
      targets.set(fileName, target)
      delete bundle[fileName]
    }
  },
}

/**
 * Lets the helpers of Rolldown run without Node.js: code for the web shares them with CommonJS packages of the server, for
 * which they import `node:module`.
 */
const portableRuntime: Plugin = {
  name: 'portable-runtime',
  generateBundle(_options, bundle) {
    const chunk = bundle['chunks/rolldown-runtime.js']
    if (chunk?.type !== 'chunk') return
    const from = [
      'import { createRequire } from "node:module";\n',
      '/* #__PURE__ */ (() => createRequire(import.meta.url))()',
    ] as const
    if (!from.every((text) => chunk.code.includes(text))) throw new Error('Rolldown has changed its runtime')
    const require = "(id) => process.getBuiltinModule('node:module').createRequire(import.meta.url)(id)"
    chunk.code = chunk.code.replace(from[0], '').replace(from[1], require)
  },
}

/** The same character in a file with characters of ASCII only. */
const toEscape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

const common = {
  cwd: root,
  external: (id: string) => Object.hasOwn(installed, packageOf(id)),
  checks: { bundlerTimings: false }, // these warnings depend on the load of the machine
  onLog: (_level, { message }) => {
    throw new Error(message)
  },
} satisfies BuildOptions

/** One instance for both builds: the second one writes `licenses.txt` again, with the packages of both. */
const licensesOfBoth = licenses()

rmSync(join(root, 'dist'), { recursive: true, force: true })

const { output } = await build({
  ...common,
  input: inputs([...subpaths, ...programs, ...forTests], (name) => `src/${name}.ts`),
  platform: 'node',
  plugins: [licensesOfBoth, directImports, minifyPackages, portableRuntime],
  output: {
    dir: 'dist',
    chunkFileNames: 'chunks/[name].js',
    codeSplitting: {
      groups: chunks.map((chunk, index) => ({
        ...chunk,
        test: withBackslashes(chunk.test),
        priority: chunks.length - index,
      })),
    },
    minifyInternalExports: false,
    comments: { legal: true, annotation: true, jsdoc: false },
    charset: 'ascii', // a file with other characters takes twice the memory, and a tenth longer to parse
  },
})

await build({
  ...common,
  input: inputs([...subpaths, ...forTests], (name) => `${declarations}/${name}.d.ts`),
  // `oxc`, because the other generators read a tsconfig.json. It has nothing to generate: `tsc` wrote the declarations.
  plugins: [
    payloadTypes,
    dts({ dtsInput: true, emitDtsOnly: true, generator: 'oxc', tsconfig: false }),
    licensesOfBoth,
  ],
  output: {
    dir: 'dist',
    chunkFileNames: 'chunks/[name].js',
    codeSplitting: { groups: [{ name: 'types.d', test: /\.d\.ts$/, minShareCount: 2 }] },
  },
})

for (const file of globSync('src/**/*.{sql,br}', { cwd: root })) {
  cpSync(join(root, file), join(root, file.replace(/^src/, 'dist')))
}
chmodSync(join(root, 'dist/cli/main.js'), 0o755) // npm does so only at installation

const outputChunks = output.filter((file) => file.type === 'chunk')
const published = outputChunks.filter(({ name }) => !forTests.includes(name))
for (const chunk of published) checkImports(chunk)
for (const chunk of published) if (subpaths.includes(chunk.name)) checkLoadedPackages(chunk)

const receiver = outputChunks.find(({ fileName }) => fileName === 'chunks/receiver.js')
const kilobytes = Math.round((receiver?.code.length ?? 0) / 1000)
console.log(`library: ${outputChunks.length} modules, ${kilobytes} kB in chunks/receiver.js`)

/**
 * Checks that a chunk imports only other chunks, modules of Node.js and packages that users have. The bundler turns a
 * `require` of a package into a call of `__require`, and does not report it as an import.
 */
function checkImports({ fileName, imports, dynamicImports, code }: OutputChunk): void {
  const files = output.map((file) => file.fileName)
  const required = [...code.matchAll(/\b__require\("([^"]+)"\)/g)].map(([, specifier = '']) => specifier)
  for (const specifier of [...imports, ...dynamicImports, ...required]) {
    if (files.includes(targets.get(specifier) ?? specifier) || isBuiltin(specifier)) continue
    if (!Object.hasOwn(installed, packageOf(specifier)))
      throw new Error(`dist/${fileName} imports ${specifier}, which no dependency in package.json provides`)
    if (required.includes(specifier))
      throw new Error(`dist/${fileName} requires ${specifier}, which users of hookserver may not have installed`)
  }
}

/**
 * Checks that programs that import a subpath of the package load no bundled package at once, and later only those of
 * `loadedOnDemand`, never those of the server.
 */
function checkLoadedPackages(subpath: OutputChunk): void {
  const atOnce = packagesOf(subpath, ({ imports }) => imports)
  const later = packagesOf(subpath, ({ imports, dynamicImports }) => [...imports, ...dynamicImports])
  const wrong = atOnce[0] ?? later.find((name) => !loadedOnDemand.includes(name))
  if (wrong) throw new Error(`dist/${subpath.fileName} loads the package ${wrong}, which only the server may load`)
}

/** The packages whose code is in the chunks that a chunk leads to. */
function packagesOf(start: OutputChunk, next: (chunk: OutputChunk) => readonly string[]): string[] {
  const found = new Set([start])
  for (const chunk of found) {
    const files = next(chunk).map((file) => targets.get(file) ?? file)
    for (const other of outputChunks) if (files.includes(other.fileName)) found.add(other)
  }
  return [...found]
    .flatMap(({ moduleIds }) => moduleIds)
    .flatMap((id) => id.replaceAll('\\', '/').split('/node_modules/').slice(1).map(packageOf))
}

/** `hono` for `hono/html`, and `@scope/name` for `@scope/name/file`. */
function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

/** On Windows, the paths of modules have backslashes. */
function withBackslashes(path: RegExp): RegExp {
  return new RegExp(path.source.replaceAll('\\/', '[\\\\/]'))
}

/** The entry points by name, which is also their path in `dist`. */
function inputs(names: readonly string[], fileOf: (name: string) => string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, fileOf(name)]))
}
