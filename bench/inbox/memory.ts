/**
 * Looks for memory leaks: compares the heap after many deliveries with the heap after the first tenth of them.
 * `node --expose-gc bench/inbox/memory.ts [database URL]`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hooks } from 'hookserver'
import { postgres } from 'hookserver/postgres'
import { sqlite } from 'hookserver/sqlite'
import { hookserver } from 'hookserver/web'
import { bench, sendTo } from '../delivery.ts'

export interface Heap {
  /** Bytes of heap and buffers in use after the first tenth of the deliveries and a garbage collection. */
  early: number
  /** Bytes of heap and buffers in use at the end, after a garbage collection. */
  late: number
  /** The number of handled deliveries. */
  handled: number
}

const count = 200_000
const [database] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'hookserver-bench-'))
const inbox = database ? postgres(database) : sqlite(join(folder, 'inbox.db'))
const hooks = new Hooks({ secret: bench.secret, validateIp: false, inbox })
const receive = hookserver(hooks)
let handled = 0
hooks.hook('push', () => {
  handled++
})

async function through(target: number): Promise<number> {
  for (let sent = handled; sent < target; sent += 100) {
    await Promise.all(Array.from({ length: 100 }, () => sendTo(receive)))
    // Limits the backlog, whose memory would distort the result.
    while (sent - handled > 1000) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  while ((await inbox.overview()).states.done < target) await new Promise((resolve) => setTimeout(resolve, 20))
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const early = await through(count / 10)
const late = await through(count)
await hooks.close()
rmSync(folder, { recursive: true })
const result: Heap = { early, late, handled }
process.send?.(result)
if (!process.send)
  console.log((early / 2 ** 20).toFixed(1), 'MiB, then', (late / 2 ** 20).toFixed(1), 'MiB;', handled, 'handled')
