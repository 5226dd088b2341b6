/**
 * `npm run test:kill -- [--kills 100] [--seed 1] [--serve]`: kills processes in rounds. After each round, every
 * acknowledged delivery must be stored and handled. A second part sends bodies that end the process when it parses
 * them. A third part runs handlers that never settle and keep large payloads in memory.
 */
import { parseArgs } from 'node:util'
import { type Report, runCampaign, total } from './campaign.ts'
import { type PoisonReport, poisons, runPoison } from './poison.ts'
import { type Kind, kinds } from './rounds.ts'
import { runStuck, type StuckReport } from './stuck.ts'

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
const poison = await runPoison({ seed, served: values.serve })
printPoison(poison)
const stuck = await runStuck({ seed, served: values.serve })
printStuck(stuck)
const problems = [report, poison, stuck].flatMap(({ lost, wrong }) => [...lost, ...wrong])
process.exitCode = problems.length > 0 ? 1 : 0

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
    ['all kills', total(figures.kills)],
    ['requests sent', figures.sent],
    ['  without a complete answer, sent again', figures.cut],
    ['  rejected, sent again', figures.rejected],
    ['deliveries acknowledged', figures.acked],
    ['  acknowledged as duplicates', figures.duplicates],
    ['deliveries stored', figures.stored],
    ['handler outcomes', figures.handled],
    ['attempts cut off', figures.expired],
    ['  handler finished, outcome not recorded, run again', figures.unrecorded],
    ['  begun after another worker had reclaimed the task', figures.late],
    ['seconds', Math.round(seconds)],
  ]
  printRows(rows, { lost, wrong })
  if (lost.length + wrong.length > 0) console.error(`The inboxes are kept in ${folder}`)
}

function printPoison({ deaths, ...problems }: PoisonReport): void {
  console.log('\nBodies that end the process when it parses them:')
  const rows: [string, number][] = [
    ['bodies below and above the limit for rejection', poisons.length * 2],
    ['  exits of the process because of them', deaths],
  ]
  printRows(rows, problems)
}

function printStuck({ attempts, longest, ...problems }: StuckReport): void {
  console.log('\nHandlers that never settle and keep large payloads:')
  const rows: [string, number][] = [
    ['attempts', attempts],
    ['  longest attempt, in milliseconds', longest],
  ]
  printRows(rows, problems)
}

function printRows(rows: readonly [string, number][], { lost, wrong }: Pick<Report, 'lost' | 'wrong'>): void {
  const all = [...rows, ['lost', lost.length], ['other violations', wrong.length]] as const
  for (const [what, count] of all) console.log(what.padEnd(58), count.toLocaleString('en').padStart(9))
  for (const text of [...lost, ...wrong].slice(0, 20)) console.error(text)
}
