import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Served } from '../../scripts/served.ts'
import { table } from '../table.ts'
import { honestLoad, type Latency, mediansOf, shownLatency } from './load.ts'
import { withServed } from './with-served.ts'

const [idle, slow] = [5000, 200]
const load = { rate: 200, seconds: 12 } // longer than it takes to be cut off
const rounds = 3

/** How many are there, and how often one of them was cut off. */
interface Crowd {
  present: number
  cut: number
}

/** Prints what honest senders notice of many who take up room. */
export async function reportCrowd(): Promise<void> {
  const room = filesAllowed()
  const least = idle + slow + 500 // each process has one for each connection, and some of its own
  if (room < least) return console.log(`\nNot measured: ${idle} connections need ulimit -n ${least}, and it is ${room}`)
  console.log(
    `\n${load.rate} honest pushes a second, without and with ${idle.toLocaleString('en')} idle connections and ${slow} that send a byte a second (ulimit -n ${room})`,
  )
  await withServed(['--role', 'receiver'], async (served) => {
    await honestLoad(served.url, load)
    const alone: Latency[] = []
    const beside: Latency[] = []
    let crowd: Crowd = { present: 0, cut: 0 }
    for (let round = 0; round < rounds; round++) {
      alone.push(await honestLoad(served.url, load))
      crowd = await withCrowd(served, async () => void beside.push(await honestLoad(served.url, load)))
    }
    const [without, withThem] = [mediansOf(alone), mediansOf(beside)]
    const rows = [
      ['alone', ...shownLatency(without), '1.00'],
      ['beside them', ...shownLatency(withThem), (withThem.p50 / without.p50).toFixed(2)],
    ]
    console.log(table(['honest senders', 'p50 ms', 'p99 ms', 'worst ms', '× alone'], rows))
    console.log(`${crowd.present} were there at the end of the last round, ${crowd.cut} had been cut off meanwhile`)
  })
}

async function withCrowd({ url }: Served, work: () => Promise<void>): Promise<Crowd> {
  const child = fork(new URL('./crowd-program.ts', import.meta.url), [url, String(idle), String(slow)])
  const gone = once(child, 'exit')
  try {
    const came = await Promise.race([once(child, 'message'), gone.then(() => undefined)])
    if (!came) throw new Error('The crowd could not come')
    await work()
    child.send('count')
    const [crowd] = (await once(child, 'message')) as [Crowd]
    return crowd
  } finally {
    if (child.connected) child.disconnect()
    await gone
  }
}

/** Node.js takes as many as the system lets it. */
function filesAllowed(): number {
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { hard: number | 'unlimited' } } }
  const hard = userLimits?.open_files?.hard
  return typeof hard === 'number' ? hard : Number.POSITIVE_INFINITY
}
