/**
 * `npm run bench`: hookserver beside its rivals and beside a floor, the least that a receiver can do; and what an inbox
 * costs, on SQLite and in PostgreSQL, and `hookserver serve` and its dashboard stand. Rounds alternate between the
 * servers, so that what else the machine does falls on all of them alike. `--part receiving`, `inbox`, `serve`,
 * `dashboard`, `postgres` or `workers` runs one part, `--only <server>` some of the servers; `--stored` says how many deliveries the
 * dashboard is shown with, `--rows` and `--through` how many are in PostgreSQL beforehand, and how many go through it,
 * `--backlog` how many worker processes handle.
 */
import { cpus, release } from 'node:os'
import { parseArgs } from 'node:util'
import { reportDashboard } from './dashboard/report.ts'
import { reportInbox } from './inbox/report.ts'
import { reportPostgres } from './postgres/report.ts'
import { reportReceiving } from './receiving.ts'
import { reportService } from './service/report.ts'
import { reportWorkers } from './workers/report.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', multiple: true },
    part: { type: 'string', multiple: true },
    stored: { type: 'string', default: '1000000' },
    rows: { type: 'string', default: '5000000' },
    through: { type: 'string', default: '1000000' },
    backlog: { type: 'string', default: '20000' },
  },
})
const parts =
  values.part ?? (values.only ? ['receiving'] : ['receiving', 'inbox', 'serve', 'dashboard', 'postgres', 'workers'])
const options = { rounds: Number(values.rounds), seconds: Number(values.seconds) }

console.log(
  `${new Date().toISOString().slice(0, 10)}, Node.js ${process.version}, Linux ${release()}, ${cpus().length} × ${cpus()[0]?.model}\n`,
)
if (parts.includes('receiving')) await reportReceiving({ ...options, ...(values.only && { only: values.only }) })
if (parts.includes('inbox')) await reportInbox(options)
if (parts.includes('serve')) await reportService(options)
if (parts.includes('dashboard')) await reportDashboard(Number(values.stored))
if (parts.includes('postgres')) {
  await reportPostgres({ ...options, rows: Number(values.rows), through: Number(values.through) })
}
if (parts.includes('workers')) await reportWorkers(Number(values.backlog))
