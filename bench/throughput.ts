import { setTimeout as wait } from 'node:timers/promises'
import autocannon from 'autocannon'
import type { Name } from './contestants.ts'
import { push } from './delivery.ts'
import { type MeasuredServer, startContestant, type Usage } from './process.ts'
import { median, percentile, ratioOf } from './statistics.ts'
import { steadyLoad } from './steady-load.ts'

/** One measurement of a server under full load. */
export interface Round {
  /** Answers a second. */
  rate: number
  /** Milliseconds. */
  p50: number
  p99: number
  /** Microseconds of CPU per answer, of the process that answers. */
  cpu: number
  /** Microseconds of CPU per answer, of the database's own processes, if it has any. */
  databaseCpu?: number | undefined
}

export type Starts = Readonly<Record<string, () => Promise<MeasuredServer>>>

export interface Rounds {
  rounds: number
  seconds: number
}

/** The results of a server. */
export class Throughput {
  readonly rounds: Round[] = []

  /** The median of a result; undefined if it was not measured. */
  of(field: keyof Round): number | undefined {
    const values = this.#valuesOf(field)
    return values.includes(undefined) ? undefined : median(values as number[])
  }

  /** Computes the ratio to another server for each round. Returns the median of these ratios. */
  ratioTo(other: Throughput | undefined, field: keyof Round = 'rate'): number | undefined {
    if (!other) return undefined
    return ratioOf(this.#valuesOf(field) as number[], other.#valuesOf(field) as number[])
  }

  #valuesOf(field: keyof Round): (number | undefined)[] {
    return this.rounds.map((round) => round[field])
  }
}

/**
 * The maximum number of times that each server is started in a new process. Two processes of the same program can differ
 * in speed by 10 % for as long as they run.
 */
const maxGenerations = 5

const warmUpSeconds = 1

/**
 * Milliseconds between two checks whether a server is idle, the maximum number of checks, and the share of a core that
 * an idle server may use.
 */
const [checkInterval, maxChecks, quietShare] = [100, 600, 0.1]

export const startsOf = (names: readonly Name[]): Starts =>
  Object.fromEntries(names.map((name) => [name, () => startContestant(name)]))

/**
 * Measures servers in alternating rounds. Every answer must be 2xx.
 * @param connections Each number of connections is measured in each round.
 * @returns the results by number of connections, then by server.
 */
export async function throughput(
  starts: Starts,
  { rounds, seconds, connections }: Rounds & { connections: readonly number[] },
): Promise<Map<string, Throughput>[]> {
  const results = connections.map(() => new Map(Object.keys(starts).map((name) => [name, new Throughput()])))
  const generations = Math.min(rounds, maxGenerations)
  for (let generation = 0; generation < generations; generation++) {
    const servers: [string, MeasuredServer][] = []
    try {
      for (const [name, start] of Object.entries(starts)) servers.push([name, await start()])
      for (const [name, server] of servers) await measure(server, { name, seconds: warmUpSeconds })
      for (let round = generation; round < rounds; round += generations) {
        for (const [index, count] of connections.entries()) {
          for (const [name, server] of servers) {
            const result = await measure(server, { name, seconds, connections: count })
            results[index]?.get(name)?.rounds.push(result)
          }
        }
      }
    } finally {
      await Promise.all(servers.map(([, server]) => server.stop()))
    }
  }
  return results
}

/** Measures one round under full load. Errors contain `name`. */
export async function measure(
  server: MeasuredServer,
  { name, seconds, connections = 32 }: { name: string; seconds: number; connections?: number },
): Promise<Round> {
  const before = await server.usage()
  const { method, headers, body } = push()
  const result = await autocannon({ url: server.url, connections, duration: seconds, method, headers, body })
  const after = await usageWhenQuiet(server, name)
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${name}: ${result.non2xx} answers were not 2xx, ${result.errors} errors`)
  const answered = result['2xx']
  const perAnswer = (from: number, to: number) => ((to - from) * 1e6) / answered
  return {
    rate: answered / result.duration,
    p50: result.latency.p50,
    p99: result.latency.p99,
    cpu: perAnswer(before.cpu, after.cpu),
    ...(before.databaseCpu !== undefined &&
      after.databaseCpu !== undefined && { databaseCpu: perAnswer(before.databaseCpu, after.databaseCpu) }),
  }
}

/**
 * Waits until the server has no work left, and returns its usage. Handlers of stored deliveries still run after the
 * load. Without the wait, the CPU time per answer would not include these handlers, and they would slow down the server
 * that is measured next.
 */
async function usageWhenQuiet(server: MeasuredServer, name: string): Promise<Omit<Usage, 'peak'>> {
  let last = await server.usage()
  for (let checks = 0; checks < maxChecks; checks++) {
    await wait(checkInterval)
    const usage = await server.usage()
    if ((usage.cpu - last.cpu) * 1000 < quietShare * checkInterval) return usage
    last = usage
  }
  throw new Error(`${name} is still busy ${(maxChecks * checkInterval) / 1000} s after the load`)
}

/** The latencies of a new server at a steady rate, in milliseconds: medians of three rounds. */
export async function steadyLatency(
  start: () => Promise<MeasuredServer>,
  { rate, seconds }: { rate: number; seconds: number },
): Promise<{ p50: number; p99: number }> {
  const server = await start()
  try {
    const load = { rate, connections: 32 }
    await steadyLoad(server.url, { ...load, seconds: warmUpSeconds })
    const rounds: number[][] = []
    for (let round = 0; round < 3; round++) rounds.push(await steadyLoad(server.url, { ...load, seconds }))
    const of = (share: number) => median(rounds.map((latencies) => percentile(latencies, share)))
    return { p50: of(0.5), p99: of(0.99) }
  } finally {
    await server.stop()
  }
}
