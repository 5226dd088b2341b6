/**
 * `npm run bench`: hookserver beside its rivals and beside a floor, the least that a receiver can do; and what an inbox
 * costs, on SQLite and in PostgreSQL, and `hookserver serve` stands. Rounds alternate between the servers, so that what
 * else the machine does falls on all of them alike. `--part receiving`, `inbox`, `serve` or `postgres` runs one part,
 * `--only <server>` some of the servers; `--rows` and `--through` say how many deliveries are in PostgreSQL beforehand,
 * and how many go through it.
 */
import { cpus, release } from 'node:os'
import { parseArgs } from 'node:util'
import { reportInbox } from './inbox/report.ts'
import { reportPostgres } from './postgres/report.ts'
import { reportReceiving } from './receiving.ts'
import { reportService } from './service/report.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', multiple: true },
    part: { type: 'string', multiple: true },
    rows: { type: 'string', default: '5000000' },
    through: { type: 'string', default: '1000000' },
  },
})
const parts = values.part ?? (values.only ? ['receiving'] : ['receiving', 'inbox', 'serve', 'postgres'])
const options = { rounds: Number(values.rounds), seconds: Number(values.seconds) }

console.log(
  `${new Date().toISOString().slice(0, 10)}, Node.js ${process.version}, Linux ${release()}, ${cpus().length} × ${cpus()[0]?.model}\n`,
)
if (parts.includes('receiving')) await reportReceiving({ ...options, ...(values.only && { only: values.only }) })
if (parts.includes('inbox')) await reportInbox(options)
if (parts.includes('serve')) await reportService(options)
if (parts.includes('postgres')) {
  await reportPostgres({ ...options, rows: Number(values.rows), through: Number(values.through) })
}
