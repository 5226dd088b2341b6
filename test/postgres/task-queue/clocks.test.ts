/** Workers on machines with wrong clocks share a database. */
import { expect, onTestFinished, test } from 'vitest'
import { Worker } from '../../../src/inbox/worker/worker.ts'
import { postgres } from '../../../src/postgres/index.ts'
import { Host } from '../../inbox/fixtures.ts'
import { detailIn, eventually, storeIn } from '../../inbox/stores.ts'
import { databases } from '../databases.ts'

const server = databases('fsync=off')
const hour = 3_600_000

/**
 * A worker on a machine whose clock differs from that of the database by `skew` milliseconds. Its handler fails while the
 * clock is ahead.
 */
function startWorker(url: string, skew: () => number): Worker {
  const inbox = postgres(url, { heartbeat: 100 })
  const host = new Host().on('push', { name: 'a', backoff: 60_000, attempts: 10_000 }, () => {
    if (skew() > 0) throw new Error('not yet')
  })
  const worker = new Worker(inbox, host, { now: () => Date.now() + skew() })
  onTestFinished(async () => {
    await worker.stop(0)
    await inbox.close()
  })
  worker.start()
  return worker
}

async function openScene() {
  const url = await server.create()
  const inbox = postgres(url)
  onTestFinished(() => inbox.close())
  const ids: number[] = []
  for (let n = 0; n < 10; n++) ids.push(await storeIn(inbox, { n }))
  /** Waits until the outcomes of each delivery match. */
  const haveOutcomes = (expected: RegExp) =>
    eventually(async () => {
      for (const id of ids) {
        const attempts = (await detailIn(inbox, id)).tasks[0]?.attempts ?? []
        expect(attempts.map(({ outcome }) => outcome).join()).toMatch(expected)
      }
    })
  return { url, haveOutcomes }
}

test('a worker retries the tasks of another one whose clock is two hours ahead of its own', async () => {
  const { url, haveOutcomes } = await openScene()
  const ahead = startWorker(url, () => hour)
  await haveOutcomes(/^failed/)
  await ahead.stop(0)
  startWorker(url, () => -hour)
  await haveOutcomes(/^failed,((failed|released),)*succeeded$/)
})

test('a clock that is set back two hours delays no retry, and expires no lease', async () => {
  const { url, haveOutcomes } = await openScene()
  let skew = hour
  startWorker(url, () => skew)
  await haveOutcomes(/^failed/)
  skew = -hour
  await haveOutcomes(/^failed,((failed|released),)*succeeded$/)
})
