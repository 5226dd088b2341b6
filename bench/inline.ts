import { comparisonTable } from './comparison.ts'
import { type Name, unstored } from './contestants.ts'
import { recordGoal } from './goals.ts'
import { reportLargeDeliveries } from './large-deliveries.ts'
import { type Rounds, startsOf, type Throughput, throughput } from './throughput.ts'

/** Compares the cost of a delivery that is verified, dispatched and answered, but not stored. */
export async function reportInline({ only, ...options }: Rounds & { only?: readonly Name[] }): Promise<void> {
  const names = unstored.filter((name) => !only || only.includes(name))
  console.log(
    `\nVerify, dispatch, reply: a push of 6.9 kB over 32 connections, medians of ${options.rounds} rounds of ${options.seconds} s`,
  )
  const [results = new Map<string, Throughput>()] = await throughput(startsOf(names), { ...options, connections: [32] })
  const [floor, octokit] = [results.get('floor'), results.get('@octokit/webhooks')]
  console.log(comparisonTable([{ results, floor, octokit }]))
  recordGoal('inlineToFloor', results.get('hookserver/node')?.ratioTo(floor))
  recordGoal('inlineToOctokit', results.get('hookserver/node')?.ratioTo(octokit))
  if (!only) await reportLargeDeliveries()
}
