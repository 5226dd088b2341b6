/**
 * `node bench/inbox/handling.ts [database URL]`: measures how many deliveries a worker handles a second, and its pickup
 * time.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hooks, type Inbox } from 'hookserver'
import { postgres } from 'hookserver/postgres'
import { sqlite } from 'hookserver/sqlite'
import { hookserver } from 'hookserver/web'
import { bench, sendTo } from '../delivery.ts'

export interface Handling {
  /** Deliveries a second, from the start of the worker to the last recorded outcome. */
  rate: number
  /** Milliseconds from the answer to the start of the handler. Deliveries are sent one at a time. */
  pickup: number[]
}

const [backlog, pickups] = [20_000, 300]

/** Runs handlers that do nothing. Every attempt is recorded. */
async function measure(inbox: Inbox): Promise<Handling> {
  const hooks = new Hooks({ secret: bench.secret, validateIp: false, inbox, work: false })
  const receive = hookserver(hooks)
  let claimed: (() => void) | undefined
  hooks.hook('push', () => claimed?.())
  const deliver = () => sendTo(receive)
  for (let stored = 0; stored < backlog; stored += 200) await Promise.all(Array.from({ length: 200 }, deliver))

  const start = performance.now()
  hooks.work()
  while ((await inbox.overview()).states.done < backlog) await new Promise((resolve) => setTimeout(resolve, 20))
  const rate = (backlog / (performance.now() - start)) * 1000

  const pickup: number[] = []
  for (let round = 0; round < pickups; round++) {
    const { promise, resolve } = Promise.withResolvers<void>()
    claimed = resolve
    await deliver()
    const answered = performance.now()
    await promise
    pickup.push(performance.now() - answered)
  }
  await hooks.close()
  return { rate, pickup }
}

const folder = mkdtempSync(join(tmpdir(), 'hookserver-bench-'))
const [database] = process.argv.slice(2)
const result = await measure(database ? postgres(database) : sqlite(join(folder, 'inbox.db')))
rmSync(folder, { recursive: true })
process.send?.(result)
if (!process.send)
  console.log(result.rate.toFixed(0), 'a second; pickup', result.pickup.sort((a, b) => a - b)[pickups / 2])
