/** `npm run bench`: compares hookserver with its rivals. CONTRIBUTING.md describes the flags. */
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
  },
})
const options = { rounds: Number(values.rounds), seconds: Number(values.seconds) }
const only = values.only && checkNames(values.only)
const chosen = only && { only }

const parts: Readonly<Record<string, () => Promise<void>>> = {
  receiving: () => reportInline({ ...options, ...chosen }),
  web: () => reportWeb({ ...options, ...chosen }),
  start: async () => {
    reportInstallation()
    await reportImports()
    await reportColdStart()
  },
  stored: () => reportStored({ ...options, ...chosen }),
  handling: () => reportHandling({ ...options, deliveries: Number(values.backlog ?? 20_000) }),
  inbox: () => reportInbox(options),
  serve: () => reportService(),
  dashboard: () => reportDashboard(Number(values.stored)),
  postgres: () => reportPostgres({ ...options, rows: Number(values.rows), through: Number(values.through) }),
  workers: () => reportWorkers(Number(values.backlog ?? 10_000)),
}

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
      const part = parts[name]
      if (!part) throw new Error(`Unknown part "${name}". Known: ${Object.keys(parts).join(', ')}`)
      const start = performance.now()
      await part()
      console.log(`\n(The part ${name} took ${((performance.now() - start) / 1000).toFixed(0)} s.)`)
    }
  }
} finally {
  await stopPostgres()
}
const goals = goalsTable()
if (goals) console.log(`\nGoals\n${goals}`)
