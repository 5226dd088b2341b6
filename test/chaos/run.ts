/**
 * `npm run test:chaos -- [--seconds 300] [--seed 1] [--only fault]`: runs receivers and workers with PostgreSQL, and
 * injects faults into processes and database, first under traffic like GitHub's, then while workers handle an ordered
 * backlog. Workers must handle all acknowledged deliveries, in order if they have the same order key. A handler must
 * not run again for a delivery after its success, unless an operator retries the delivery. The last part compares the
 * speed of one worker with that of several.
 */
import { parseArgs } from 'node:util'
import { type BacklogReport, runBacklog } from './backlog/campaign.ts'
import { type BacklogKind, backlogKinds } from './backlog/faults.ts'
import { maxSlowdown, measureThroughput, slowdownOf, type ThroughputReport } from './backlog/throughput.ts'
import { type Report, runCampaign } from './campaign.ts'
import { type Kind, kinds } from './faults.ts'
import { printBacklog, printProblems, printThroughput, printTraffic } from './print.ts'

const names = [...Object.keys(kinds), ...Object.keys(backlogKinds), 'throughput']
const usage = `Usage: npm run test:chaos -- [--seconds 300] [--seed 1] [--only ${names.join('|')}]...`
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
const only = values.only ?? names
if (values.help || !(seconds > 0) || !Number.isInteger(seed) || only.some((name) => !names.includes(name))) {
  console.error(usage)
  process.exit(values.help ? 0 : 2)
}

const [began, showsProgress] = [performance.now(), process.stderr.isTTY]
const traffic = only.filter((name): name is Kind => Object.hasOwn(kinds, name))
const backlog = only.filter((name): name is BacklogKind => Object.hasOwn(backlogKinds, name))
const share = traffic.length > 0 && backlog.length > 0 ? seconds / 2 : seconds
console.log(`${seconds} seconds of faults, seed ${seed}`)
const problems: string[] = []

if (traffic.length > 0) finish(await runCampaign({ seed, seconds: share, only: traffic, onFault }), printTraffic)
if (backlog.length > 0) finish(await runBacklog({ seed, seconds: share, only: backlog, onFault }), printBacklog)
if (only.includes('throughput')) {
  const report = await measureThroughput({ seed })
  if (slowdownOf(report) > maxSlowdown)
    report.wrong.push(`Two workers took more than ${maxSlowdown} times as long as one`)
  finish(report, printThroughput)
}
printProblems(problems)
process.exitCode = problems.length > 0 ? 1 : 0

function finish<T extends Report | BacklogReport | ThroughputReport>(report: T, print: (report: T) => void): void {
  if (showsProgress) process.stderr.write('\r\x1b[K')
  print(report)
  problems.push(...report.lost, ...report.wrong)
}

function onFault(kind: Kind | BacklogKind): void {
  const elapsed = Math.round((performance.now() - began) / 1000)
  if (showsProgress)
    process.stderr.write(`\r\x1b[K${elapsed} of ${seconds} s; last: ${{ ...kinds, ...backlogKinds }[kind]}`)
}
