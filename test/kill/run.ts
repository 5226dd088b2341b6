/** `npm run test:kill -- [--kills 100] [--seed 1] [--serve]`: what was acked is there after every kill, and is handled. */
import { parseArgs } from 'node:util'
import { type Report, runCampaign, total } from './campaign.ts'
import { type Kind, kinds } from './rounds.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    seed: { type: 'string' },
    serve: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  },
})
const kills = Number(values.kills)
const seed = Number(values.seed ?? Date.now() % 1_000_000)
if (values.help || !Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed)) {
  console.error('Usage: npm run test:kill -- [--kills 100] [--seed 1] [--serve]')
  process.exit(values.help ? 0 : 2)
}

console.log(`${kills} kills${values.serve ? ' of hookserver serve' : ''}, seed ${seed}`)
const report = await runCampaign({
  kills,
  seed,
  served: values.serve,
  onKill: process.stderr.isTTY ? showProgress : () => {},
})
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
print(report)
process.exitCode = report.lost.length + report.wrong.length > 0 ? 1 : 0

function showProgress(soFar: Report): void {
  const done = Math.min(1, total(soFar.kills) / kills)
  const bar = '#'.repeat(Math.round(done * 30)).padEnd(30, '.')
  const { acked, lost } = soFar
  process.stderr.write(`\r\x1b[K[${bar}] ${total(soFar.kills)} of ${kills} kills, acked ${acked}, lost ${lost.length}`)
}

function print({ lost, wrong, folder, seconds, ...figures }: Report): void {
  const rows: [string, number][] = [
    ...(Object.entries(figures.kills) as [Kind, number][]).map(([kind, count]): [string, number] => [
      `kills: ${kinds[kind]}`,
      count,
    ]),
    ['kills in all', total(figures.kills)],
    ['requests sent', figures.sent],
    ['  without an answer in full, sent again', figures.cut],
    ['  refused, sent again', figures.refused],
    ['deliveries acked', figures.acked],
    ['  acked as a duplicate', figures.duplicates],
    ['deliveries stored', figures.stored],
    ['handler outcomes', figures.handled],
    ['attempts cut off', figures.cutOff],
    ['  through, but unrecorded: run again', figures.unrecorded],
    ['lost', lost.length],
    ['otherwise wrong', wrong.length],
    ['seconds', Math.round(seconds)],
  ]
  for (const [what, count] of rows) console.log(what.padEnd(58), count.toLocaleString('en').padStart(9))
  for (const text of [...lost, ...wrong].slice(0, 20)) console.error(text)
  if (lost.length + wrong.length > 0) console.error(`The inboxes are kept in ${folder}`)
}
