/**
 * Checks that the TypeScript and JavaScript in the documents compiles against the built package, with the types of Node.js
 * and browsers.
 */
import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
/** Within the repository, so that imports find its packages. */
const folder = join(root, 'node_modules/.cache/docs')

/** Packages that this repository does not install, files of the reader, and globals of frameworks and other runtimes. */
const absent: readonly RegExp[] = [
  /^\.\.?\//,
  /^@(?:google-cloud\/functions-framework|nestjs\/(?:core|platform-fastify)|sveltejs\/kit|sveltejs\/kit\/env)$/,
  /^(?:astro|cloudflare:workers|elysia|next|nitro\/h3|react-router|\$app\/env\/private)$/,
  /^(?:Bun|Deno|defineEventHandler|getRequestIP|toWebRequest)$/,
]
const unknownName = /^error TS(?:2304|2307|2868): Cannot find (?:module|name) '([^']+)'/
/** A parameter without a type, such as that of a function that an absent package calls. */
const implicitAny = /^error TS(?:7006|7031):/

interface Block {
  page: string
  /** The line of the page before the code. */
  line: number
  file: string
  code: string
}

function blocksOf(page: string): Block[] {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(/^( *)```(ts|js)\n(.*?)^ *```$/gms)].map(({ 2: language, 3: code = '', index }) => {
    const line = text.slice(0, index).split('\n').length
    return { page, line, file: `${page.replaceAll('/', '-')}-${line}.${language}`, code }
  })
}

/** Where TypeScript finds the package: what its exports name. */
function packagePaths(): Record<string, string[]> {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return Object.fromEntries(
    Object.entries<{ types?: string }>(exports).flatMap(([name, { types }]) =>
      types ? [[name.replace('.', 'hookserver'), [join(root, types)]]] : [],
    ),
  )
}

const blocks = ['*.md', 'docs/**/*.md'].flatMap((pattern) => globSync(pattern, { cwd: root }).flatMap(blocksOf))
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
for (const { file, code } of blocks) writeFileSync(join(folder, file), code)
const compilerOptions = {
  target: 'es2024',
  lib: ['es2024', 'dom', 'dom.iterable', 'dom.asynciterable'],
  types: ['node'],
  typeRoots: [join(root, 'node_modules/@types')],
  module: 'preserve',
  moduleResolution: 'bundler',
  moduleDetection: 'force',
  strict: true,
  skipLibCheck: true,
  allowJs: true,
  checkJs: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  paths: packagePaths(),
}
const files = blocks.map(({ file }) => file)
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
const { stdout } = spawnSync('tsc', ['-p', folder, '--pretty', 'false'], { cwd: folder, encoding: 'utf8' })
const errors = [...stdout.matchAll(/^(\S+?)\((\d+),\d+\): (error .*(?:\n .*)*)/gm)].map(
  ([, file = '', line = '', message = '']) => ({ file, line: Number(line), message }),
)
const isAbsent = (message: string): boolean => {
  const [, name] = unknownName.exec(message) ?? []
  return name !== undefined && absent.some((pattern) => pattern.test(name))
}
const incomplete = new Set(errors.flatMap(({ file, message }) => (isAbsent(message) ? [file] : [])))
const faults = errors.filter(({ file, message }) => {
  return !isAbsent(message) && !(incomplete.has(file) && implicitAny.test(message))
})
for (const { file, line, message } of faults) {
  const block = blocks.find((one) => one.file === file)
  console.error(block ? `${block.page}:${block.line + line}: ${message}` : `${file}:${line}: ${message}`)
}
if (errors.length === 0 && stdout !== '') console.error(stdout)
if (faults.length > 0 || (errors.length === 0 && stdout !== '')) process.exitCode = 1
else console.log(`docs: ${blocks.length} blocks of code compile`)
