/** `npm run bench`: compares hookserver with its rivals. `--help` lists its parts and flags. */
import { cpus, release } from 'node:os'
import { parseArgs } from 'node:util'
import { checkNames, inRuntimes, stored, unstored } from './contestants.ts'
import { reportDashboard } from './dashboard/report.ts'
import { goalsTable } from './goals.ts'
import { reportHandling } from './handling/report.ts'
import { reportInbox } from './inbox/report.ts'
import { reportInline } from './inline.ts'
import { reportPostgres } from './postgres/report.ts'
import { stopPostgres } from './postgres/server.ts'
import { reportProfiles } from './profile.ts'
import { reportService } from './service/report.ts'
import { reportColdStart } from './start/cold-start.ts'
import { reportImports } from './start/import-time.ts'
import { reportInstallation } from './start/installation.ts'
import { reportStored } from './stored.ts'
import { reportWeb } from './web/report.ts'
import { reportWorkers } from './workers/report.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', multiple: true },
    part: { type: 'string', multiple: true },
    profile: { type: 'boolean' },
    stored: { type: 'string', default: '1000000' },
    rows: { type: 'string', default: '1000000' },
    through: { type: 'string', default: '200000' },
    backlog: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
})

interface Part {
  measures: string
  run: () => Promise<void>
}

const parts: Readonly<Record<string, Part>> = {
  receiving: {
    measures: 'deliveries that are not stored, in each framework; memory with large bodies',
    run: () => reportInline({ ...rounds, ...chosen }),
  },
  web: {
    measures: 'hookserver/web in Bun, Deno, Node.js and workerd',
    run: () => reportWeb({ ...rounds, ...chosen }),
  },
  start: {
    measures: 'the installation, the import of modules, the time to the first reply',
    run: async () => {
      reportInstallation()
      await reportImports()
      await reportColdStart()
    },
  },
  stored: {
    measures: 'deliveries that are stored before the reply',
    run: () => reportStored({ ...rounds, ...chosen }),
  },
  handling: {
    measures: 'a backlog, beside job queues',
    run: () => reportHandling({ ...rounds, deliveries: Number(values.backlog ?? 20_000) }),
  },
  inbox: { measures: 'SQLite with 1,000,000 stored deliveries', run: () => reportInbox(rounds) },
  serve: {
    measures: 'hookserver serve: many slow clients, the admin API, a blocked worker',
    run: () => reportService(),
  },
  dashboard: { measures: 'the page in Chromium', run: () => reportDashboard(Number(values.stored)) },
  postgres: {
    measures: 'PostgreSQL: cost of a commit, several receivers, memory, size, many stored deliveries',
    run: () => reportPostgres({ ...rounds, rows: Number(values.rows), through: Number(values.through) }),
  },
  workers: { measures: 'several worker processes', run: () => reportWorkers(Number(values.backlog ?? 10_000)) },
}

const help = `Usage: npm run bench -- [options]

Measures speed, CPU and memory of hookserver and its rivals. Use a machine that does nothing else.

  --part NAME     run only this part; can be repeated (default: all parts)
  --only NAME     measure only this server; can be repeated. CONTRIBUTING.md says where the names are
  --rounds N      rounds of a comparison (default: 10)
  --seconds N     seconds of a round (default: 2)
  --profile       write CPU profiles instead of measuring
  --backlog N     deliveries of "handling" and "workers" (default: 20000 and 10000)
  --stored N      stored deliveries of "dashboard" (default: 1000000)
  --rows N        stored deliveries of "postgres" (default: 1000000)
  --through N     deliveries that "postgres" receives, handles and deletes (default: 200000)

Parts:
${Object.entries(parts)
  .map(([name, { measures }]) => `  ${name.padEnd(14)}  ${measures}`)
  .join('\n')}
`

const numbers = [values.rounds, values.seconds, values.stored, values.rows, values.through, values.backlog ?? 1]
const unknown = values.part?.find((name) => !Object.hasOwn(parts, name))
if (values.help || unknown !== undefined || !numbers.every((number) => Number(number) > 0)) {
  process.stderr.write(unknown === undefined ? help : `Unknown part "${unknown}".\n\n${help}`)
  process.exit(values.help ? 0 : 2)
}

const rounds = { rounds: Number(values.rounds), seconds: Number(values.seconds) }
const only = values.only && checkNames(values.only)
const chosen = only && { only }

/** The parts to run: those of `--part`, else those that measure a server named with `--only`, else all. */
function partNames(): string[] {
  if (values.part) return values.part
  if (!only) return Object.keys(parts)
  const has = (names: readonly string[]) => only.some((name) => names.includes(name))
  return [
    ...(has(unstored) ? ['receiving'] : []),
    ...(has(inRuntimes) ? ['web'] : []),
    ...(has(stored) ? ['stored'] : []),
  ]
}

const date = new Date().toISOString().slice(0, 10)
console.log(`${date}, Node.js ${process.version}, Linux ${release()}, ${cpus().length} × ${cpus()[0]?.model}`)
try {
  if (values.profile) await reportProfiles({ seconds: 10, ...chosen })
  else {
    for (const name of partNames()) {
      const start = performance.now()
      await parts[name]?.run()
      console.log(`\n(The part ${name} took ${((performance.now() - start) / 1000).toFixed(0)} s.)`)
    }
  }
} finally {
  await stopPostgres()
}
const goals = goalsTable()
if (goals) console.log(`\nGoals\n${goals}`)
