import { type Comparison, comparisonTable } from '../comparison.ts'
import { definitionOf, inRuntimes, type Name, type Runtime } from '../contestants.ts'
import { type GoalName, recordGoal } from '../goals.ts'
import { type Rounds, type Throughput, throughput } from '../throughput.ts'
import { startInRuntime } from './runtimes.ts'

const goalsOf: Record<Runtime, { toOctokit: GoalName; toFloor: GoalName }> = {
  Bun: { toOctokit: 'webToOctokitBun', toFloor: 'webToFloorBun' },
  Deno: { toOctokit: 'webToOctokitDeno', toFloor: 'webToFloorDeno' },
  'Node.js': { toOctokit: 'webToOctokitNode', toFloor: 'webToFloorNode' },
  workerd: { toOctokit: 'webToOctokitWorkerd', toFloor: 'webToFloorWorkerd' },
}

/** Compares `hookserver/web` with a bare handler and with `createWebMiddleware` of `@octokit/webhooks`, by runtime. */
export async function reportWeb({ only, ...options }: Rounds & { only?: readonly Name[] }): Promise<void> {
  console.log(
    `\nFunctions from Request to Response: a push of 6.9 kB over 32 connections, medians of ${options.rounds} rounds of ${options.seconds} s`,
  )
  const comparisons: Comparison[] = []
  for (const runtime of Object.keys(goalsOf) as Runtime[]) {
    const names = inRuntimes.filter((name) => definitionOf(name).runtime === runtime)
    comparisons.push(await compare(runtime, only ? names.filter((name) => only.includes(name)) : names, options))
  }
  console.log(comparisonTable(comparisons))
}

async function compare(runtime: Runtime, names: readonly Name[], options: Rounds): Promise<Comparison> {
  const starts = Object.fromEntries(names.map((name) => [name, () => startInRuntime(name)]))
  const [results = new Map<string, Throughput>()] = await throughput(starts, { ...options, connections: [32] })
  const [floor, octokit] = [results.get(`floor, ${runtime}`), results.get(`createWebMiddleware, ${runtime}`)]
  const own = results.get(`hookserver/web, ${runtime}`)
  recordGoal(goalsOf[runtime].toOctokit, own?.ratioTo(octokit))
  recordGoal(goalsOf[runtime].toFloor, own?.ratioTo(floor))
  return { results, floor, octokit }
}
