/**
 * `npm run test:platforms -- [folder …]`: installs the packed hookserver into the applications of this folder, starts each
 * one, and sends it deliveries. Exits with 1 if an application fails.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { table } from '../../bench/table.ts'
import { Application, versionOf } from './application.ts'
import { checkDeliveries, checkOtherPath, findLimit, type Limit } from './checks.ts'
import { checkReload, removeInbox } from './next-reload.ts'
import { type Platform, platforms } from './platforms.ts'

interface Row extends Partial<Limit> {
  platform: Platform
  problem: string
  seconds: number
}

const { positionals } = parseArgs({ allowPositionals: true })
const unknown = positionals.filter((folder) => !platforms.some((platform) => platform.folder === folder))
if (unknown.length > 0) {
  console.error(`Unknown platform: ${unknown.join(', ')}. Known: ${platforms.map(({ folder }) => folder).join(', ')}`)
  process.exit(2)
}

installHookserver()
const chosen = platforms.filter(({ folder }) => positionals.length === 0 || positionals.includes(folder))
const rows: Row[] = []
for (const platform of chosen) {
  const row = await check(platform)
  rows.push(row)
  console.log(`${row.problem ? '✗' : '✓'} ${platform.name}${row.problem && `: ${row.problem}`}`)
}
console.log(`\n${tableOf(rows)}\n`)
const failed = rows.filter(({ problem }) => problem).length
console.log(`${rows.length - failed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

/** Installs what `npm publish` would publish. `--no-save` keeps the tarball out of the lock file. */
function installHookserver(): void {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-packed-'))
  const npm = (cwd: string, args: readonly string[]) => execFileSync('npm', args, { cwd, encoding: 'utf8' })
  try {
    const repository = join(import.meta.dirname, '../..')
    const packed = npm(repository, ['pack', '--ignore-scripts', '--json', '--pack-destination', folder])
    const tarball = join(folder, JSON.parse(packed)[0].filename)
    npm(import.meta.dirname, ['install', '--no-save', '--prefer-offline', '--loglevel', 'error', tarball])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function check(platform: Platform): Promise<Row> {
  const started = performance.now()
  const application = new Application(platform.folder)
  const row: Row = { platform, problem: '', seconds: 0 }
  try {
    if (platform.reloads) removeInbox()
    await application.build()
    if (platform.reloads) await checkReload(application)
    await application.start()
    await checkDeliveries(platform, application.origin)
    if (!platform.onlyHooks) await checkOtherPath(application.origin)
    Object.assign(row, await findLimit(platform, application.origin))
    if (row.largest !== platform.largestBody) {
      row.problem = `the largest body is ${row.largest ?? 0} MiB, expected ${platform.largestBody} (${row.above})`
    }
  } catch (error) {
    row.problem = (error as Error).message
  }
  await application.stop().catch((error: Error) => {
    row.problem ||= error.message
  })
  if (row.problem) console.log(application.output)
  row.seconds = (performance.now() - started) / 1000
  return row
}

function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(({ platform, problem, largest, above, seconds }) => [
    `${platform.name} (${platform.package} ${versionOf(platform.folder, platform.package)})`,
    problem ? 'failed' : 'passed',
    largest ? `${largest} MiB` : 'none',
    above ? above.slice(0, 60) : '',
    seconds.toFixed(1),
  ])
  return table(['platform', 'result', 'largest body', 'answer above it', 'seconds'], lines)
}
