/**
 * Checks the package as users install it: packs it, installs the tarball in an empty project, compiles against its
 * types without other packages, imports every subpath, and runs the programs of the README.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, posix, sep } from 'node:path'
import type { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { installPackage, limits, measureInstallation } from './installation.ts'

const repository = join(import.meta.dirname, '..')
const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
/** Milliseconds within which a program must start. */
const startTimeout = 60_000
const specifiers = Object.keys(manifest.exports)
  .filter((subpath) => subpath !== './package.json')
  .map((subpath) => `hookserver${subpath.slice(1)}`)

/**
 * Without `octokit`, `delivery.octokit()` and `hooks.octokit()` have a minimal type. This type must not be `any`. With
 * `any`, the property `rest` would compile, and TypeScript would report an unused `@ts-expect-error`.
 */
const withoutOctokit = `
import { type Delivery, Hooks, type OctokitClass } from 'hookserver'
export async function ask(delivery: Delivery): Promise<number> {
  const octokit = await delivery.octokit()
  // @ts-expect-error
  octokit.rest
  return (await octokit.request('GET /user')).status
}
export async function askOutside(octokitClass: OctokitClass): Promise<number> {
  const hooks = new Hooks({ octokit: octokitClass })
  for await (const { id } of hooks.installations()) void id
  const octokit = await hooks.octokit({ repository: 'octo/hello' })
  // @ts-expect-error
  octokit.rest
  return (await octokit.request('GET /user')).status
}
`

/** Arguments and environment of the server with the hooks.ts of the README. */
const serveArgs = ['serve', 'hooks.ts', '--port', '0', '--admin-port', '0', '--validate-ip', 'false']
const env = { ...process.env, GITHUB_WEBHOOKS_KEY: 'the secret of the service' }

const project = mkdtempSync(join(tmpdir(), 'hookserver-package-'))
/** The file of the package's command. */
const command = join(project, 'node_modules/hookserver', manifest.bin.hookserver)
try {
  const tarball = installPackage(project)
  if (process.argv.includes('--release')) await step('addresses', () => checkAddresses())
  await step('publint', () => lint())
  await step('are the types wrong', () => checkTypes(tarball))
  await step('SQL files', () => checkSqlFiles())
  await step('relative links', () => checkLinks())
  await step('installation', () => checkInstallation())
  await step('declarations with the types of Node.js', () => compile({ lib: ['es2023'], types: ['node'] }))
  await step('declarations with the types of the web', () => compile({ lib: ['es2023', 'dom'], types: [] }))
  await step('every subpath can be imported', () => importAll())
  await step('quick starts of the README', () => quickStarts())
  await step('hooks.ts of the README receives a delivery', () => serveModule())
  await step('the log on a terminal', () => serveOnTerminal())
} finally {
  rmSync(project, { recursive: true })
}

async function step(name: string, work: () => unknown): Promise<void> {
  const detail = await work()
  console.log(`package: ${name}${typeof detail === 'string' ? `, ${detail}` : ''}`)
}

function run(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')} failed:\n${(error as { stdout: string }).stdout}`)
  }
}

/** A release needs the addresses of the project: npm shows them, and resolves the relative links of the README. */
function checkAddresses(): string {
  const fields = ['repository', 'homepage', 'bugs']
  const missing = fields.filter((field) => manifest[field] === undefined)
  const cure = 'Add them: see "Accounts and settings" in CONTRIBUTING.md'
  if (missing.length > 0) throw new Error(`package.json lacks ${missing.join(', ')}. ${cure}.`)
  return fields.join(', ')
}

async function lint(): Promise<void> {
  const { messages } = await publint({ pkgDir: repository, strict: true, pack: false })
  assert.deepEqual(
    messages.map((message) => formatMessage(message, manifest)),
    [],
  )
}

async function checkTypes(tarball: string): Promise<void> {
  const analysis = await checkPackage(createPackageFromTarballData(readFileSync(tarball)))
  assert.ok(analysis.types, 'the package has types')
  // The package is ESM only, so problems with CommonJS and with the resolution of Node.js 10 do not count.
  const relevant = analysis.problems.filter(
    (problem) => !('resolutionKind' in problem && /node10|cjs/.test(problem.resolutionKind)),
  )
  assert.deepEqual(relevant, [])
}

/**
 * Checks that the package has every SQL file. No other step would detect a missing file of PostgreSQL, because these
 * files are read only when its tables are created.
 */
function checkSqlFiles(): string {
  const files = globSync('**/*.sql', { cwd: join(repository, 'src') })
  for (const file of files) {
    const [source, installed] = [join(repository, 'src', file), join(project, 'node_modules/hookserver/dist', file)]
    assert.equal(readFileSync(installed, 'utf8'), readFileSync(source, 'utf8'), file)
  }
  assert.ok(files.length >= 2, 'each store has a schema.sql')
  return files.join(' ')
}

/**
 * Checks the relative links of the documentation, which is part of the package. Its images are not: npm and GitHub show
 * those of the repository. Only an index, the benchmarks and the changelog may link to the
 * documents for contributors.
 */
function checkLinks(): string {
  const folder = join(project, 'node_modules/hookserver')
  const pages = globSync('{*.md,docs/**/*.md}', { cwd: folder })
  const links = pages.flatMap((page) => {
    const targets = readFileSync(join(folder, page), 'utf8').matchAll(/\[[^\]]*\]\((?![a-z]+:)([^)#\s]+)/g)
    return [...targets].map(([, target = '']) => ({
      page,
      target: posix.join(dirname(page).replaceAll(sep, '/'), target),
    }))
  })
  const forContributors = ['CONTRIBUTING.md', 'docs/decisions.md', 'docs/interface.md']
  const mayLink = ['README.md', 'CHANGELOG.md', join('docs', 'README.md'), join('docs', 'benchmarks.md')]
  const missing = links.filter(({ page, target }) => {
    const isLeftOut = target.startsWith('docs/images/') || (mayLink.includes(page) && forContributors.includes(target))
    return !existsSync(join(isLeftOut ? repository : folder, target))
  })
  assert.deepEqual(missing, [], 'files that the documentation links to')
  const quickStart = links.find(({ page, target }) => page === 'README.md' && target === 'docs/options.md')
  assert.ok(quickStart, 'the README links to docs/options.md')
  return `${links.length} in ${pages.length} pages`
}

function checkInstallation(): string {
  const { packages, megabytes } = measureInstallation(project)
  const shown = `${packages} packages, ${megabytes.toFixed(1)} MB`
  const isSmall = packages <= limits.packages && megabytes <= limits.megabytes
  assert.ok(isSmall, `${shown} are installed; the limits are ${limits.packages} packages and ${limits.megabytes} MB`)
  return shown
}

function compile(options: { lib: string[]; types: string[] }): void {
  const names = specifiers.map(
    (specifier, index) => `import * as module${index} from '${specifier}'\nvoid module${index}\n`,
  )
  writeFileSync(join(project, 'all.ts'), [...names, withoutOctokit].join(''))
  const compilerOptions = {
    ...{ module: 'nodenext', target: 'es2023', strict: true, noEmit: true, skipLibCheck: false, ...options },
    typeRoots: [join(repository, 'node_modules/@types')],
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['all.ts'] }))
  run(process.execPath, [join(repository, 'node_modules/typescript/bin/tsc'), '-p', project])
}

/** Imports every subpath: first those that need no peer dependencies, then the others, with their peer dependencies. */
function importAll(): string {
  const needPeers = ['hookserver/postgres', 'hookserver/opentelemetry', 'hookserver/probot']
  const others = specifiers.filter((specifier) => !needPeers.includes(specifier))
  const program = [
    "import assert from 'node:assert/strict'",
    ...others.map((specifier) => `await import('${specifier}')`),
    ...needPeers.map((specifier) => `await assert.rejects(import('${specifier}'), { code: 'ERR_MODULE_NOT_FOUND' })`),
  ]
  run(process.execPath, ['--input-type=module', '-e', program.join('\n')])
  for (const peer of ['pg', '@opentelemetry/api', 'octokit']) {
    const target = join(project, 'node_modules', peer)
    mkdirSync(dirname(target), { recursive: true })
    symlinkSync(join(repository, 'node_modules', peer), target)
  }
  const withPeers = needPeers.map((specifier) => `await import('${specifier}')`)
  run(process.execPath, ['--input-type=module', '-e', withPeers.join('\n')])
  return specifiers.join(' ')
}

/** Runs each quick start of the README, and sends it a ping. The first line of a quick start is its file name. */
async function quickStarts(): Promise<string> {
  const readme = readFileSync(join(repository, 'README.md'), 'utf8')
  const programs = [...readme.matchAll(/^```ts\n\/\/ (quick-start-\w+\.ts)\n(.*?)^```$/gms)]
  assert.equal(programs.length, 2, 'the README has a quick start for Express and one for plain Node.js')
  symlinkSync(join(repository, 'node_modules/express'), join(project, 'node_modules/express'))
  for (const [, file = '', program = ''] of programs) await pingProgram(file, program)
  return programs.map(([, file]) => file).join(' ')
}

/** Serves the hooks.ts of the README with the package's command, and sends it a delivery. */
async function serveModule(): Promise<void> {
  const readme = readFileSync(join(repository, 'README.md'), 'utf8')
  const [, program] = /^```ts\n\/\/ hooks\.ts\n(.*?)^```$/ms.exec(readme) ?? []
  assert.ok(program, 'the README has a hooks.ts')
  writeFileSync(join(project, 'hooks.ts'), program)
  const child = spawn(process.execPath, [command, ...serveArgs], {
    cwd: project,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  // On Windows, npm creates a batch file, which only a shell can run. A server in a shell could not be stopped.
  const shell = process.platform === 'win32'
  const runCommand = (...args: string[]) =>
    execFileSync(join(project, 'node_modules/.bin/hookserver'), args, { cwd: project, env, encoding: 'utf8', shell })
  try {
    const log = await logOfStart(child.stderr)
    const url = /"url":"([^"]*hooks)"/.exec(log)?.[1] ?? ''
    assert.match(runCommand('send', 'issues.opened', '--to', url), /^202 Accepted/)
    assert.match(runCommand('deliveries', 'list'), / issues/) // a worker may not have read the action yet
    await checkPage(/"url":"([^"]*)","tokenFrom"/.exec(log)?.[1] ?? '')
  } finally {
    child.kill()
    await once(child, 'exit')
  }
}

/** Starts the server as if its log was a terminal, because the server then loads another chunk. */
async function serveOnTerminal(): Promise<void> {
  const terminal = ['--import', 'data:text/javascript,process.stderr.isTTY=true']
  const args = [...terminal, command, ...serveArgs]
  const child = spawn(process.execPath, args, { cwd: project, env, stdio: ['ignore', 'ignore', 'pipe'] })
  try {
    const log = await logOfStart(child.stderr)
    assert.match(stripVTControlCharacters(log), /^\[[\d:]+\] INFO: Receiving on [^\n]+\n {4}url: "http/)
  } finally {
    child.kill()
    await once(child, 'exit')
  }
}

/** The log of a server until it has started. */
async function logOfStart(stderr: Readable): Promise<string> {
  let log = ''
  const signal = AbortSignal.timeout(startTimeout)
  while (!log.includes('Admin listener')) log += ((await once(stderr, 'data', { signal })) as [Buffer])[0]
  return log
}

/** Checks that the package contains the dashboard. */
async function checkPage(url: string): Promise<void> {
  const page = await fetch(`${url}/`)
  const [, script = ''] = /src="\.\/(assets\/[^"]+\.js)"/.exec(await page.text()) ?? []
  const { status, headers } = await fetch(`${url}/${script}`)
  assert.deepEqual([page.status, status, headers.get('content-type')], [200, 200, 'text/javascript; charset=utf-8'])
}

async function pingProgram(file: string, program: string): Promise<void> {
  const secret = 'the secret of the quick start'
  assert.match(program, /listen\(8000\)/)
  // Listens on any free port instead, and prints its number.
  const bound = program.replace(
    /listen\(8000\)/,
    "listen(0, '127.0.0.1', function () { console.log('port', this.address().port) })",
  )
  writeFileSync(join(project, file), bound)
  const child = spawn(process.execPath, ['--import', pathToFileURL(join(repository, 'test/offline.js')).href, file], {
    cwd: project,
    env: { ...process.env, GITHUB_WEBHOOKS_KEY: secret, NODE_NO_WARNINGS: '1' },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  try {
    const [line] = (await once(child.stdout, 'data', { signal: AbortSignal.timeout(startTimeout) })) as [Buffer]
    const port = /port (\d+)/.exec(line.toString())?.[1]
    const { signedRequest } = await import('hookserver/testing')
    const answer = await fetch(`http://127.0.0.1:${port}/hooks`, signedRequest('ping', { secret }))
    assert.deepEqual([answer.status, await answer.text()], [200, 'pong'], file)
  } finally {
    child.kill()
    await once(child, 'exit')
  }
}
