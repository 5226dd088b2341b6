/**
 * `npm run test:chaos -- [--seconds 300] [--seed 1] [--only fault]`: receivers and workers at a PostgreSQL, faults of all
 * three under load; what was acked is handled, once where its outcome was committed, in order, and soon.
 */
import { parseArgs } from 'node:util'
import { type Report, runCampaign } from './campaign.ts'
import { type Kind, kinds } from './faults.ts'

const usage = `Usage: npm run test:chaos -- [--seconds 300] [--seed 1] [--only ${Object.keys(kinds).join('|')}]...`
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '300' },
    seed: { type: 'string' },
    only: { type: 'string', multiple: true },
    help: { type: 'boolean', short: 'h' },
  },
})
const seconds = Number(values.seconds)
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const only = values.only as Kind[] | undefined
if (values.help || !(seconds > 0) || !Number.isInteger(seed) || only?.some((kind) => !Object.hasOwn(kinds, kind))) {
  console.error(usage)
  process.exit(values.help ? 0 : 2)
}

console.log(`${seconds} seconds of faults, seed ${seed}`)
const report = await runCampaign({ seed, seconds, only, onFault: process.stderr.isTTY ? showProgress : () => {} })
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
print(report)
process.exitCode = report.lost.length + report.wrong.length > 0 ? 1 : 0

function showProgress(kind: Kind, soFar: Report): void {
  const done = Math.min(1, soFar.seconds / seconds)
  const bar = '#'.repeat(Math.round(done * 30)).padEnd(30, '.')
  process.stderr.write(`\r\x1b[K[${bar}] ${Math.round(soFar.seconds)} s, acked ${soFar.acked}; last: ${kinds[kind]}`)
}

function print({ faults, verdict, lost, wrong, ...figures }: Report): void {
  console.log(`${'fault'.padEnd(58)} ${'times'.padStart(9)} ${'longest'.padStart(9)}`)
  for (const [kind, { times, longest }] of Object.entries(faults) as [Kind, { times: number; longest: number }][]) {
    console.log(kinds[kind].padEnd(58), String(times).padStart(9), `${(longest / 1000).toFixed(1)} s`.padStart(9))
  }
  const rows: [string, number][] = [
    ['requests sent', figures.sent],
    ['  without an answer in full, sent again', figures.cut],
    ['  refused, sent again', figures.refused],
    ['deliveries acked', figures.acked],
    ['  acked as a duplicate', figures.duplicates],
    ['deliveries stored', verdict?.stored ?? 0],
    ['handler outcomes', verdict?.handled ?? 0],
    ['attempts cut off', verdict?.cutOff ?? 0],
    ['  through, but unrecorded: run again', verdict?.unrecorded ?? 0],
    ['  begun when they had been given to another', verdict?.late ?? 0],
    ['lost', lost.length],
    ['otherwise wrong', wrong.length],
    ['seconds', Math.round(figures.seconds)],
  ]
  for (const [what, count] of rows) console.log(what.padEnd(58), count.toLocaleString('en').padStart(9))
  for (const text of [...lost, ...wrong].slice(0, 20)) console.error(text)
}
