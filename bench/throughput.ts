import autocannon from 'autocannon'
import type { Name } from './contestants.ts'
import { push } from './delivery.ts'
import { type Contestant, median, startContestant } from './process.ts'
import { ratioOf } from './turns.ts'

interface Round {
  rate: number
  p50: number
  p99: number
  cpu: number
}

/** The medians of a server's rounds. */
export interface Throughput extends Round {
  rounds: readonly Round[]
  /** The median of the ratios round by round: neighbours in time saw the same machine. */
  ratioTo(other: Throughput): number
}

/** How often all servers are started anew: two processes of the same program differ by a tenth, for their whole life. */
const generations = 5

/** Measures servers in alternating rounds, each generation after a second to warm up. Every answer must be 2xx. */
export async function throughput(
  names: readonly Name[],
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<Map<Name, Throughput>> {
  const results = new Map<Name, Round[]>(names.map((name) => [name, []]))
  for (let generation = 0; generation < generations; generation++) {
    const servers = await Promise.all(names.map(async (name) => [name, await startContestant(name)] as const))
    for (const [name, server] of servers) await measure(server, 1, name)
    for (let round = 0; round < rounds / generations; round++) {
      for (const [name, server] of servers) results.get(name)?.push(await measure(server, seconds, name))
    }
    await Promise.all(servers.map(([, server]) => server.stop()))
  }
  return new Map([...results].map(([name, list]) => [name, summary(list)]))
}

/** Latencies at a steady load of so many requests a second. */
export async function latencies(name: Name, rate: number, seconds: number): Promise<{ p50: number; p99: number }> {
  const server = await startContestant(name)
  await measure(server, 1, name)
  const rounds = []
  for (let round = 0; round < 3; round++) rounds.push(await measure(server, seconds, name, Math.round(rate)))
  await server.stop()
  return summary(rounds)
}

/** One round. */
export async function measure(server: Contestant, seconds: number, name: string, overallRate?: number): Promise<Round> {
  const before = await server.usage()
  const { method, headers, body } = push()
  const result = await autocannon({
    url: server.url,
    connections: 32,
    duration: seconds,
    method,
    headers,
    body,
    ...(overallRate && { overallRate }),
  })
  const after = await server.usage()
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${name}: ${result.non2xx} answers were not 2xx, ${result.errors} errors`)
  const answered = result['2xx']
  return {
    rate: answered / result.duration,
    p50: result.latency.p50,
    p99: result.latency.p99,
    cpu: ((after.cpu - before.cpu) * 1e6) / answered,
  }
}

function summary(rounds: readonly Round[]): Throughput {
  const of = (field: keyof Round) => median(rounds.map((round) => round[field]))
  return {
    rounds,
    rate: of('rate'),
    p50: of('p50'),
    p99: of('p99'),
    cpu: of('cpu'),
    ratioTo: (other) => ratioOf(ratesOf(rounds), ratesOf(other.rounds)),
  }
}

const ratesOf = (rounds: readonly Round[]): number[] => rounds.map(({ rate }) => rate)
