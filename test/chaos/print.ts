import type { BacklogReport } from './backlog/campaign.ts'
import { type BacklogKind, backlogKinds } from './backlog/faults.ts'
import { slowdownOf, type ThroughputReport } from './backlog/throughput.ts'
import type { FaultFigures, Report } from './campaign.ts'
import { type Kind, kinds } from './faults.ts'

type Row = [what: string, count: number | string]

export function printTraffic({ faults, verdict, lost, wrong, ...figures }: Report): void {
  console.log(`${'fault'.padEnd(58)} ${'times'.padStart(9)} ${'longest'.padStart(9)}`)
  for (const [kind, { times, longest }] of Object.entries(faults) as [Kind, FaultFigures][]) {
    console.log(kinds[kind].padEnd(58), String(times).padStart(9), secondsOf(longest).padStart(9))
  }
  print([
    ['requests sent', figures.sent],
    ['  without a complete answer, sent again', figures.cut],
    ['  rejected, sent again', figures.rejected],
    ['deliveries acknowledged', figures.acked],
    ['  acknowledged as duplicates', figures.duplicates],
    ['deliveries stored', verdict?.stored ?? 0],
    ['handler outcomes', verdict?.handled ?? 0],
    ['attempts cut off', verdict?.expired ?? 0],
    ['  handler finished, outcome not recorded, run again', verdict?.unrecorded ?? 0],
    ['  begun after another worker had reclaimed the task', verdict?.late ?? 0],
    ['lost', lost.length],
    ['other violations', wrong.length],
    ['seconds', Math.round(figures.seconds)],
  ])
}

export function printBacklog({ faults, verdict, lost, wrong, ...figures }: BacklogReport): void {
  console.log('\nWith an ordered backlog:')
  print([
    ...(Object.entries(faults) as [BacklogKind, number][]).map(([kind, times]): Row => [backlogKinds[kind], times]),
    ['deliveries stored', figures.stored],
    ['deliveries that succeeded (the others must end dead)', verdict?.handled ?? 0],
    ['retries by an operator', figures.retried],
    ['attempts cut off', verdict?.expired ?? 0],
    ['  begun after another worker had reclaimed the task', verdict?.late ?? 0],
    ['longest time without progress', secondsOf(figures.longestPause)],
    ['lost', lost.length],
    ['violations of the order, and other errors', wrong.length],
    ['seconds', Math.round(figures.seconds)],
  ])
}

export function printThroughput(report: ThroughputReport): void {
  console.log('\nThe same ordered backlog without faults:')
  print([
    ...report.measured.map(({ workers, seconds, deliveriesPerSecond }): Row => {
      return [`${workers} workers in ${seconds.toFixed(1)} s`, `${Math.round(deliveriesPerSecond)} /s`]
    }),
    ['time of two workers, as a multiple of the time of one', slowdownOf(report).toFixed(2)],
    ['lost', report.lost.length],
    ['violations of the order, and other errors', report.wrong.length],
  ])
}

export function printProblems(problems: readonly string[]): void {
  for (const text of problems.slice(0, 20)) console.error(text)
}

function print(rows: readonly Row[]): void {
  for (const [what, count] of rows) console.log(what.padEnd(58), count.toLocaleString('en').padStart(9))
}

const secondsOf = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
