import { once } from 'node:events'
import { request } from 'node:http'
import { join } from 'node:path'
import type { Name } from './contestants.ts'
import { push } from './delivery.ts'
import { recordGoal } from './goals.ts'
import { memoryFields, type Phase } from './memory-samples.ts'
import { startContestant } from './process.ts'
import { inTurns, median } from './statistics.ts'
import { table } from './table.ts'

/** The size of a delivery in bytes: just below GitHub's limit. */
const size = 25_000_000
const concurrent = 8
const rounds = 3

const names = ['hookserver/node', '@octokit/webhooks'] as const
const sampler = join(import.meta.dirname, 'memory-samples.ts')

/**
 * Sends each server eight large deliveries at the same time. Prints the server's peak memory, for the whole run and for
 * each phase.
 */
export async function reportLargeDeliveries(): Promise<void> {
  console.log(`\nEight concurrent deliveries of 25 MB: the peak of resident memory, medians of ${rounds} processes`)
  const [ours, octokit] = names
  const delivery = largeDelivery()
  const peaks = await inTurns(rounds, {
    [ours]: () => peakOf(ours, delivery),
    [octokit]: () => peakOf(octokit, delivery),
  })
  const most = median(peaks[octokit])
  const rows = names.map((name) => [name, mib(median(peaks[name])), (median(peaks[name]) / most).toFixed(2)])
  console.log(table(['server', 'peak MiB', '× octokit'], rows))
  recordGoal('peakMemory', median(peaks[ours]) / most)

  console.log(
    '\nMaxima by phase, MiB; sampled every 2 ms, and before and after each JSON.parse, during which no sample is possible',
  )
  const phases: string[][] = []
  for (const name of names) {
    for (const phase of await phasesOf(name, delivery)) {
      phases.push([name, phase.name, ...memoryFields.map((field) => mib(phase.maximum[field]))])
    }
  }
  console.log(table(['server', 'phase', ...memoryFields], phases))
}

interface LargeDelivery {
  headers: Record<string, string>
  body: Buffer
}

function largeDelivery(): LargeDelivery {
  const commit = {
    id: '7ab5aeeb',
    message: 'Fix the build, and say why 🚀',
    timestamp: '2026-02-27T20:38:34+01:00',
    added: ['src/index.ts'],
  }
  const commits = Array.from({ length: Math.floor(size / (JSON.stringify(commit).length + 1)) }, () => commit)
  const { headers, body } = push({ payload: { ref: 'refs/heads/main', commits } })
  const bytes = Buffer.from(body)
  return { headers: { ...headers, 'content-length': String(bytes.length) }, body: bytes }
}

async function peakOf(name: Name, delivery: LargeDelivery): Promise<number> {
  const server = await startContestant(name)
  try {
    await sendAll(server.url, delivery)
    return (await server.usage()).peak
  } finally {
    await server.stop()
  }
}

async function phasesOf(name: Name, delivery: LargeDelivery): Promise<readonly Phase[]> {
  const server = await startContestant(name, { nodeArgs: ['--import', sampler] })
  try {
    await sendAll(server.url, delivery)
    return await server.phases()
  } finally {
    await server.stop()
  }
}

const sendAll = (url: string, delivery: LargeDelivery): Promise<unknown> =>
  Promise.all(Array.from({ length: concurrent }, () => send(url, delivery)))

async function send(url: string, { headers, body }: LargeDelivery): Promise<void> {
  const sending = request(url, { method: 'POST', headers })
  sending.end(body)
  const [response] = await once(sending, 'response')
  response.resume()
  if (response.statusCode !== 200) throw new Error(`A large delivery was answered ${response.statusCode}`)
}

const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0)
