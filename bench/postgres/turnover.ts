import { Hooks } from 'hookserver'
import { postgres } from 'hookserver/postgres'
import { hookserver } from 'hookserver/web'
import pg from 'pg'
import { bench, sendTo } from '../delivery.ts'
import { counted, showProgress } from '../progress.ts'
import { table } from '../table.ts'
import { loggedBytes, sizeOf, vacuumFull } from './sizes.ts'

/** The retention in milliseconds. It is much shorter than the benchmark, so that many deliveries are deleted. */
const retention = 60_000

const schema = 'turnover'

/** The maximum number of unhandled deliveries. */
const backlog = 1000

/** Prints the sizes of the tables after many deliveries were received, handled and pruned. */
export async function reportTurnover(url: string, count: number): Promise<void> {
  const inbox = postgres(url, { schema, retention })
  const hooks = new Hooks({ secret: bench.secret, validateIp: false, inbox })
  const receive = hookserver(hooks)
  let [sent, handled] = [0, 0]
  hooks.hook('push', () => void handled++)
  const through = async (target: number) => {
    while (sent < target) {
      await Promise.all(Array.from({ length: 100 }, () => sendTo(receive)))
      sent += 100
      while (sent - handled > backlog) await new Promise((resolve) => setTimeout(resolve, 2))
      showProgress(counted(sent))
    }
    showProgress()
  }

  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const [began, logged] = [performance.now(), await loggedBytes(client)]
  await through(count / 10)
  const early = await sizeOf(client, schema)
  await through(count)
  const late = await sizeOf(client, schema)
  const seconds = (performance.now() - began) / 1000
  const log = ((await loggedBytes(client)) - logged) / count / 1000
  const { states } = await inbox.overview()
  await hooks.close()
  await vacuumFull(client, schema)
  const live = await sizeOf(client, schema)
  await client.end()

  const kept = Object.values(states).reduce((sum, state) => sum + state, 0)
  const rate = (count / seconds).toFixed(0)
  console.log(
    `\n${count.toLocaleString('en')} deliveries were received and handled, ${rate} a second, and kept for a minute; ${kept.toLocaleString('en')} were left; ${log.toFixed(1)} kB of write-ahead log for each`,
  )
  const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1)
  const row = [mib(early), mib(late), mib(live), (late / live).toFixed(2)]
  console.log(table(['MiB after a tenth', 'at the end', 'live MiB', '× live'], [row]))
}
