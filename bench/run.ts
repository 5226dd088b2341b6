/**
 * `npm run bench`: hookserver beside its rivals and beside a floor, the least that a receiver can do.
 * Rounds alternate between the servers, so that what else the machine does falls on all of them alike.
 */
import { cpus, release } from 'node:os'
import { parseArgs } from 'node:util'
import { contestants, type Name } from './contestants.ts'
import { importTimes } from './import-time.ts'
import { peaksOfLargeDeliveries } from './large-deliveries.ts'
import { table } from './table.ts'
import { throughput } from './throughput.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', multiple: true },
  },
})
const names = (Object.keys(contestants) as Name[]).filter((name) => !values.only || values.only.includes(name))

console.log(
  `${new Date().toISOString().slice(0, 10)}, Node.js ${process.version}, Linux ${release()}, ${cpus().length} × ${cpus()[0]?.model}\n`,
)

console.log(
  `Verify, dispatch, reply: a push of 6.9 kB over 32 connections, medians of ${values.rounds} rounds of ${values.seconds} s`,
)
const rates = await throughput(names, { rounds: Number(values.rounds), seconds: Number(values.seconds) })
const [floor, octokit] = [rates.get('floor'), rates.get('@octokit/webhooks')]
console.log(
  table(
    ['server', 'req/s', 'p50 ms', 'p99 ms', 'CPU µs/req', '× floor', '× octokit'],
    [...rates].map(([name, { rate, p50, p99, cpu, ratioTo }]) => [
      name,
      rate.toFixed(0),
      p50.toFixed(1),
      p99.toFixed(1),
      cpu.toFixed(1),
      floor ? ratioTo(floor).toFixed(2) : '',
      octokit ? ratioTo(octokit).toFixed(2) : '',
    ]),
  ),
)

if (!values.only) {
  console.log('\nEight concurrent deliveries of 25 MB: the most memory that the process held')
  const peaks = await peaksOfLargeDeliveries(['hookserver/node', '@octokit/webhooks'])
  const most = peaks.get('@octokit/webhooks') as number
  console.log(
    table(
      ['server', 'peak MiB', '× octokit'],
      [...peaks].map(([name, peak]) => [name, (peak / 2 ** 20).toFixed(0), (peak / most).toFixed(2)]),
    ),
  )

  console.log('\nImport in a fresh process, median of 15, a process that imports nothing taken off')
  const times = await importTimes()
  const slowest = times.get('@octokit/webhooks') as number
  console.log(
    table(
      ['module', 'ms', '× octokit'],
      [...times].map(([name, ms]) => [name, ms.toFixed(1), (ms / slowest).toFixed(2)]),
    ),
  )
}
