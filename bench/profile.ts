import { mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Name } from './contestants.ts'
import { startContestant } from './process.ts'
import { table } from './table.ts'
import { measure } from './throughput.ts'

const usual: readonly Name[] = ['hookserver/node', 'hookserver/node, SQLite', 'hookserver/node, PostgreSQL']
const connections = 128
const shown = 10
/** The name that V8 gives to the idle time of a thread. */
const idle = '(idle)'
const root = join(import.meta.dirname, '..')

/** The parts of a `.cpuprofile` that are used. Times are in microseconds. */
interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[]
  samples: number[]
  timeDeltas: number[]
}

/**
 * Writes the CPU profile of each thread of a server under load, and prints the functions that take most of the time.
 */
export async function reportProfiles({ seconds, only = usual }: { seconds: number; only?: readonly Name[] }) {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-profiles-'))
  for (const name of only) {
    const own = join(folder, name.replaceAll(/\W+/g, '-'))
    mkdirSync(own)
    const server = await startContestant(name, { nodeArgs: ['--cpu-prof', `--cpu-prof-dir=${own}`] })
    const { rate } = await measure(server, { name, seconds, connections }).finally(() => server.stop())
    console.log(`\n${name}: ${rate.toFixed(0)} req/s over ${connections} connections, profiled`)
    for (const file of readdirSync(own).toSorted(byThread)) {
      const { busy, functions } = selfTimes(JSON.parse(readFileSync(join(own, file), 'utf8')))
      console.log(`\n${threadOf(file)}, busy for ${busy.toFixed(0)} % of the time: ${join(own, file)}`)
      console.log(functions)
    }
  }
  console.log(`\nThe profiles are in ${folder}. Chrome DevTools and VS Code open them.`)
}

/** The name of a profile is `CPU.<date>.<time>.<process>.<thread>.<number>.cpuprofile`. The main thread is 0. */
const threadNumber = (file: string): number => Number(file.split('.')[4])
const byThread = (a: string, b: string): number => threadNumber(a) - threadNumber(b)
const threadOf = (file: string): string => (threadNumber(file) === 0 ? 'Main thread' : `Thread ${threadNumber(file)}`)

function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): { busy: number; functions: string } {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, describe(callFrame)]))
  const times = new Map<string, number>()
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id) as string
    times.set(frame, (times.get(frame) ?? 0) + (timeDeltas[index] as number))
  }
  const total = timeDeltas.reduce((sum, delta) => sum + delta, 0)
  const busy = total - (times.get(idle) ?? 0)
  times.delete(idle)
  const rows = [...times]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, shown)
    .map(([frame, time]) => [frame, (time / 1000).toFixed(0), ((time / busy) * 100).toFixed(1)])
  return { busy: (busy / total) * 100, functions: table(['function', 'self ms', '% of busy'], rows) }
}

function describe({ functionName, url, lineNumber }: CpuProfile['nodes'][0]['callFrame']): string {
  const name = functionName || '(anonymous)'
  if (url === '') return name
  const file = url.startsWith('file:') ? relative(root, fileURLToPath(url)) : url
  return `${name} ${file}:${lineNumber + 1}`
}
