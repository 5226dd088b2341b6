import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Served } from '../../scripts/served.ts'
import { table } from '../table.ts'
import { type Latency, mediansOf, normalLoad, shownLatency } from './load.ts'
import { withServed } from './with-served.ts'

const [idle, slow] = [5000, 200]
const load = { rate: 200, seconds: 12 } // 12 s are longer than the timeouts of the server
const rounds = 3

/** The number of connected clients, and how often the server has closed a connection. */
interface ClientCounts {
  connected: number
  closed: number
}

/** Prints the latency of normal senders, without and with many idle and slow clients. */
export async function reportManyClients(): Promise<void> {
  const room = filesAllowed()
  const least = idle + slow + 500 // each process opens a file for each connection, and some other files
  if (room < least) return console.log(`\nNot measured: ${idle} connections need ulimit -n ${least}, but it is ${room}`)
  console.log(
    `\n${load.rate} normal pushes a second, without and with ${idle.toLocaleString('en')} idle connections and ${slow} that send a byte a second (ulimit -n ${room})`,
  )
  await withServed(['--role', 'receiver'], async (served) => {
    await normalLoad(served.url, load)
    const alone: Latency[] = []
    const among: Latency[] = []
    let counts: ClientCounts = { connected: 0, closed: 0 }
    for (let round = 0; round < rounds; round++) {
      alone.push(await normalLoad(served.url, load))
      counts = await withManyClients(served, async () => void among.push(await normalLoad(served.url, load)))
    }
    const [without, withThem] = [mediansOf(alone), mediansOf(among)]
    const rows = [
      ['alone', ...shownLatency(without), '1.00'],
      ['with these clients', ...shownLatency(withThem), (withThem.p50 / without.p50).toFixed(2)],
    ]
    console.log(table(['normal senders', 'p50 ms', 'p99 ms', 'worst ms', '× alone'], rows))
    console.log(
      `${counts.connected} clients were connected at the end of the last round; the server had closed ${counts.closed} connections`,
    )
  })
}

async function withManyClients({ url }: Served, work: () => Promise<void>): Promise<ClientCounts> {
  const child = fork(new URL('./many-clients-program.ts', import.meta.url), [url, String(idle), String(slow)])
  const gone = once(child, 'exit')
  try {
    const started = await Promise.race([once(child, 'message'), gone.then(() => undefined)])
    if (!started) throw new Error('The clients could not connect')
    await work()
    child.send('count')
    const [counts] = (await once(child, 'message')) as [ClientCounts]
    return counts
  } finally {
    if (child.connected) child.disconnect()
    await gone
  }
}

/** The maximum number of open files: Node.js raises the soft limit of its process to the hard limit. */
function filesAllowed(): number {
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { hard: number | 'unlimited' } } }
  const hard = userLimits?.open_files?.hard
  return typeof hard === 'number' ? hard : Number.POSITIVE_INFINITY
}
