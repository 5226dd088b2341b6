import { type Name, unstored } from './contestants.ts'
import { recordGoal } from './goals.ts'
import { reportLargeDeliveries } from './large-deliveries.ts'
import { digits, table } from './table.ts'
import { type Rounds, startsOf, type Throughput, throughput } from './throughput.ts'

/** Compares the cost of a delivery that is verified, dispatched and answered, but not stored. */
export async function reportInline({ only, ...options }: Rounds & { only?: readonly Name[] }): Promise<void> {
  const names = unstored.filter((name) => !only || only.includes(name))
  console.log(
    `\nVerify, dispatch, reply: a push of 6.9 kB over 32 connections, medians of ${options.rounds} rounds of ${options.seconds} s`,
  )
  const [results = new Map<string, Throughput>()] = await throughput(startsOf(names), { ...options, connections: [32] })
  const [floor, octokit] = [results.get('floor'), results.get('@octokit/webhooks')]
  const rows = [...results].map(([name, result]) => [
    name,
    ...[digits(result.of('rate'), 0), digits(result.of('p50'), 1), digits(result.of('p99'), 1)],
    digits(result.of('cpu'), 1),
    ...[floor, octokit].flatMap((other) => [digits(result.ratioTo(other), 2), digits(result.ratioTo(other, 'cpu'), 2)]),
  ])
  const heads = ['req/s', 'p50 ms', 'p99 ms', 'CPU µs/req']
  console.log(table(['server', ...heads, '× floor', 'CPU × floor', '× octokit', 'CPU × octokit'], rows))
  recordGoal('inlineToFloor', results.get('hookserver/node')?.ratioTo(floor))
  recordGoal('inlineToOctokit', results.get('hookserver/node')?.ratioTo(octokit))
  if (!only) await reportLargeDeliveries()
}
