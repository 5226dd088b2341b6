import { type Name, stored } from './contestants.ts'
import { hasRedis } from './databases.ts'
import { recordGoal } from './goals.ts'
import { startContestant } from './process.ts'
import { digits, table } from './table.ts'
import { type Rounds, startsOf, steadyLatency, type Throughput, throughput } from './throughput.ts'

const octokit = '@octokit/webhooks'
const bullmq = '@octokit/webhooks + BullMQ'
const sqlite = 'hookserver/node, SQLite'
const postgres = 'hookserver/node, PostgreSQL'

/** Pairs of an inbox and the storing rival that it is compared with. */
const rivals: readonly [ours: Name, rival: Name, goal: 'toInsert' | 'toBullmq' | 'toPgBoss'][] = [
  [sqlite, '@octokit/webhooks + INSERT', 'toInsert'],
  [sqlite, bullmq, 'toBullmq'],
  [postgres, '@octokit/webhooks + pg-boss.send', 'toPgBoss'],
]

/**
 * Measures the rate of answers, the CPU time for each answer, and the latency. The servers are hookserver, rivals that
 * also commit each delivery before they answer, and one rival that stores nothing.
 */
export async function reportStored({ only, ...options }: Rounds & { only?: readonly Name[] }): Promise<void> {
  const names = ([octokit, ...stored] as Name[]).filter((name) => !only || only.includes(name))
  if (names.includes(bullmq) && !hasRedis()) {
    console.log(`\n${bullmq} is left out: redis-server is not on PATH`)
    names.splice(names.indexOf(bullmq), 1)
  }
  console.log(
    `\nA push of 6.9 kB, committed and fsynced before the answer (${octokit} stores nothing); medians of ${options.rounds} rounds of ${options.seconds} s, over 32 and over 128 connections`,
  )
  const [at32 = new Map(), at128 = new Map()] = await throughput(startsOf(names), {
    ...options,
    connections: [32, 128],
  })
  const heads = ['req/s', 'CPU µs', 'DB CPU µs', '× octokit', 'CPU × octokit']
  console.log(
    table(
      ['server', ...heads.map((head) => `32: ${head}`), ...heads.map((head) => `128: ${head}`)],
      names.map((name) => [name, ...costsOf(at32, name), ...costsOf(at128, name)]),
    ),
  )
  recordGoal('storedCpu', at32.get(sqlite)?.ratioTo(at32.get(octokit), 'cpu'))
  recordGoal('storedRate', at128.get(sqlite)?.ratioTo(at128.get(octokit)))
  reportRatios(at32, at128)
  await reportLatency(at32, options.seconds)
}

type Results = ReadonlyMap<string, Throughput>

function costsOf(results: Results, name: Name): string[] {
  const result = results.get(name)
  const rival = results.get(octokit)
  return [
    ...[digits(result?.of('rate'), 0), digits(result?.of('cpu'), 1), digits(result?.of('databaseCpu'), 1)],
    ...[digits(result?.ratioTo(rival), 2), digits(result?.ratioTo(rival, 'cpu'), 2)],
  ]
}

function reportRatios(at32: Results, at128: Results): void {
  const rows = rivals.flatMap(([ours, rival, goal]) => {
    const ratios = [at32, at128].map((results) => results.get(ours)?.ratioTo(results.get(rival)))
    recordGoal(goal, ratios[0])
    return ratios.includes(undefined) ? [] : [[`${ours} ÷ ${rival}`, ...ratios.map((ratio) => digits(ratio, 2))]]
  })
  if (rows.length === 0) return
  console.log('\nAnswers a second compared with a rival that also stores')
  console.log(table(['servers', '32 connections', '128 connections'], rows))
}

async function reportLatency(results: Results, seconds: number): Promise<void> {
  console.log('\nLatency over 32 connections: at full load, and at a steady load of half of that rate')
  const rows: string[][] = []
  for (const [name, result] of results) {
    const rate = (result.of('rate') as number) / 2
    const half = await steadyLatency(() => startContestant(name as Name), { rate, seconds: seconds * 2 })
    if (name === sqlite) recordGoal('halfLatency', half.p99)
    const full = [digits(result.of('p50'), 1), digits(result.of('p99'), 1)]
    rows.push([name, ...full, rate.toFixed(0), half.p50.toFixed(1), half.p99.toFixed(1)])
  }
  console.log(table(['server', 'p50 ms', 'p99 ms', 'half: req/s', 'half: p50 ms', 'half: p99 ms'], rows))
}
