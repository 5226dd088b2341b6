/**
 * Checks the files of `src` and `dashboard`. They must import only allowed parts, and must not import each other in
 * cycles. Imports of types and dynamic imports count too. Entry points for the web must load no `node:` module. No file
 * may be too long.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

const mostLines = 400

/** Files that combine the other parts. Each is a part of its own. */
const composing = [
  'index.ts',
  'adapter.ts',
  'store.ts',
  'hooks.ts',
  'inbox-workers.ts',
  'receiver/receiver.ts',
  'dashboard/vite.config.ts',
]

/** The part that a file belongs to: its folder, or `nouns` (the shared types) for a file at the root. */
function partOf(file: string): string {
  if (composing.includes(file)) return file
  const [folder = '', ...rest] = file.split('/')
  return rest.length > 0 ? folder : 'nouns'
}

/** The parts that each part may import. */
const arrows: Record<string, readonly string[]> = {
  runtime: [],
  telemetry: ['runtime'],
  nouns: [
    'runtime',
    'telemetry/logger.ts', // the type of an option
    'telemetry/delivery-logger.ts', // `delivery.log`
    'inbox/inbox.ts', // the type of an option
    'inbox/capabilities.ts', // the check of this option
    'schedules/schedule.ts', // the type of a schedule and of its event
    'commands/command.ts', // the type of a command
    'bots', // members of `Delivery`
  ],
  bots: ['runtime', 'events.ts', 'thrown.ts'],
  receiver: ['runtime', 'telemetry', 'nouns'],
  dispatch: ['runtime', 'telemetry', 'nouns', 'bots/targets.ts'],
  inbox: ['runtime', 'telemetry', 'nouns'],
  commands: ['runtime', 'telemetry', 'nouns', 'github/credential-errors.ts'],
  schedules: ['runtime', 'telemetry', 'nouns', 'inbox'],
  github: ['runtime', 'telemetry', 'nouns', 'inbox', 'schedules'],
  sqlite: ['runtime', 'telemetry', 'nouns', 'inbox'],
  postgres: ['runtime', 'telemetry', 'nouns', 'inbox'],
  exec: ['runtime', 'telemetry', 'nouns', 'inbox'],
  probot: [
    ...['runtime', 'telemetry', 'nouns', 'inbox', 'hooks.ts', 'adapters', 'github', 'receiver/signature.ts'],
    'dispatch/paths.ts', // the option `paths` of a handler
  ],
  'receiver/receiver.ts': ['runtime', 'telemetry', 'nouns', 'receiver', 'dispatch', 'inbox'],
  'inbox-workers.ts': ['runtime', 'telemetry', 'nouns', 'receiver', 'dispatch', 'inbox', 'github', 'schedules'],
  'hooks.ts': [
    ...['runtime', 'telemetry', 'nouns', 'receiver', 'receiver/receiver.ts', 'dispatch', 'inbox', 'inbox-workers.ts'],
    ...['github', 'schedules', 'commands', 'adapters/mount.ts'],
  ],
  // Types of `hooks.octokit()`, `hooks.installations()` and `hooks.use()`.
  'index.ts': [
    ...['runtime/units.ts', 'telemetry', 'nouns', 'receiver', 'inbox', 'schedules', 'commands', 'bots', 'hooks.ts'],
    'inbox-workers.ts', // an option of `hooks.drain()`
    ...['github/octokits.ts', 'dispatch/middleware.ts'],
  ],
  'adapter.ts': ['nouns', 'adapters/mount.ts'],
  'store.ts': ['nouns', 'inbox'],
  adapters: ['runtime', 'errors.ts', 'http.ts', 'options.ts'],
  samples: ['runtime', 'nouns'],
  server: [
    ...[
      'runtime',
      'telemetry',
      'nouns',
      'samples',
      'adapters',
      'inbox',
      'hooks.ts',
      'sqlite',
      'postgres',
      'github',
      'schedules',
      'probot',
    ],
    'receiver/client-address.ts', // the admin listener trusts proxies by the rules of the receiver
  ],
  cli: [
    ...['runtime', 'telemetry', 'nouns', 'samples', 'inbox', 'receiver', 'server', 'github', 'schedules'],
    'probot', // finds the apps that a package.json lists, and runs apps as Probot does
    'testing/github/local-github.ts', // `hookserver github` starts it
  ],
  testing: [
    ...['runtime', 'telemetry', 'nouns', 'samples', 'adapters', 'inbox', 'hooks.ts'],
    'schedules/schedule.ts', // `run` makes a delivery of a schedule
    // The local GitHub refuses the manifests and the webhooks that GitHub refuses.
    ...['github/event-permissions.ts', 'github/app/permission-levels.ts', 'github/webhooks/webhook-events.ts'],
  ],
  // The page parses searches and payloads as the server does.
  dashboard: [
    'runtime',
    'nouns',
    'inbox/records.ts',
    'inbox/audit-log.ts',
    'inbox/pauses.ts',
    'inbox/query/query.ts',
    'receiver/payload.ts',
  ],
  'dashboard/vite.config.ts': ['dashboard', 'scripts/licenses.ts'],
}

/**
 * Files that a part may import only with `import type`. The dashboard uses the types of the admin API, but must not
 * bundle its code. `hookserver` exports the type of a module's `config`, but must not load the server.
 */
const typeArrows: Readonly<Record<string, readonly string[]>> = {
  dashboard: ['operators', 'requests', 'responses'].map((name) => `server/api/schemas/${name}.ts`),
  'index.ts': ['server/config/module-config.ts'],
}

/** Entry points that run without Node.js. */
const webEntries = [
  ...['index.ts', 'adapters/web.ts', 'adapters/hono.ts', 'testing/contract/mounts.ts'],
  ...['dashboard/main.tsx', 'dashboard/payload/payload-worker.ts'],
]

interface Import {
  specifier: string
  typeOnly: boolean
}

const root = join(import.meta.dirname, '..')
const files = ['src', 'dashboard'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file))
    .map((file) => nameOf(`${folder}/${file}`)),
)
const sources = new Map(files.map((file) => [file, readFileSync(join(root, pathOf(file)), 'utf8')]))

/** The name of a file is its path relative to `src`, or `dashboard/…` for files of the dashboard. */
function nameOf(path: string): string {
  return path.replace(/^src\//, '')
}

function pathOf(file: string): string {
  return file.startsWith('dashboard/') ? file : `src/${file}`
}

function importsOf(file: string): Import[] {
  const found = (sources.get(file) ?? '').matchAll(/^(?:import|export) (?:(type) )?(?:[^'"]*? from )?'([^']+)'/gm)
  const later = (sources.get(file) ?? '').matchAll(/(?<!typeof )\bimport\('([^']+)'\)/g)
  return [
    ...[...found].map(([, type, specifier = '']) => ({ specifier, typeOnly: type === 'type' })),
    ...[...later].map(([, specifier = '']) => ({ specifier, typeOnly: false })),
  ]
}

function localImports(file: string, valuesOnly = false): string[] {
  const imports = importsOf(file).filter(
    ({ specifier, typeOnly }) => /^\..*\.tsx?$/.test(specifier) && !(valuesOnly && typeOnly),
  )
  return imports.map(({ specifier }) => nameOf(normalize(join(dirname(pathOf(file)), specifier))))
}

function* wrongArrows(): Generator<string> {
  for (const file of files) {
    const part = partOf(file)
    const allowed = arrows[part]
    if (!allowed) yield `${file}: there is no entry in "arrows" for ${part}`
    const values = localImports(file, true)
    for (const target of localImports(file)) {
      const free = partOf(target) === part || allowed?.includes(partOf(target)) || allowed?.includes(target)
      const freeAsType = !values.includes(target) && typeArrows[part]?.includes(target)
      if (!free && !freeAsType) yield `${file} may not import ${target}`
    }
  }
}

function* cycles(): Generator<string> {
  const done = new Set<string>()
  function* visit(file: string, path: readonly string[]): Generator<string> {
    if (path.includes(file)) {
      yield `a cycle: ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`
      return
    }
    if (done.has(file)) return
    for (const next of localImports(file)) yield* visit(next, [...path, file])
    done.add(file)
  }
  for (const file of files) yield* visit(file, [])
}

function* nodeOnTheWeb(): Generator<string> {
  for (const entry of webEntries) {
    const reached = new Set<string>()
    const queue = [entry]
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      if (reached.has(file)) continue
      reached.add(file)
      for (const { specifier, typeOnly } of importsOf(file)) {
        if (!typeOnly && specifier.startsWith('node:')) yield `${entry} reaches ${specifier} in ${file}`
      }
      queue.push(...localImports(file, true))
    }
  }
}

function* longFiles(): Generator<string> {
  for (const [file, source] of sources) {
    const lines = source.split('\n').length - 1
    if (lines > mostLines) yield `${file} has ${lines} lines; the limit is ${mostLines}`
  }
}

const faults = [...wrongArrows(), ...cycles(), ...nodeOnTheWeb(), ...longFiles()]
for (const fault of faults) console.error(fault)
console.log(`arrows: ${files.length} files, ${faults.length} faults`)
process.exitCode = faults.length > 0 ? 1 : 0
