/** Workers on machines with wrong clocks share a database. */
import pg from 'pg'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Worker } from '../../../src/inbox/worker/worker.ts'
import { DatabaseClock, readTime } from '../../../src/postgres/connection/database-clock.ts'
import { postgres } from '../../../src/postgres/index.ts'
import { Host } from '../../inbox/fixtures.ts'
import { detailIn, eventually, storeIn } from '../../inbox/stores.ts'
import { databases } from '../databases.ts'
import { createTables } from '../inbox.ts'

const server = databases()
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

async function openScene(count = 10) {
  const url = await server.create()
  const inbox = postgres(url)
  onTestFinished(() => inbox.close())
  const ids: number[] = []
  for (let n = 0; n < count; n++) ids.push(await storeIn(inbox, { n }))
  /** Waits until the outcomes of each delivery match. */
  const haveOutcomes = (expected: RegExp) =>
    eventually(async () => {
      for (const id of ids) {
        const attempts = (await detailIn(inbox, id)).tasks[0]?.attempts ?? []
        expect(attempts.map(({ outcome }) => outcome).join()).toMatch(expected)
      }
    })
  return { url, inbox, haveOutcomes }
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

describe('a worker on a machine whose clock differs from that of the database', () => {
  test.each([hour, -hour])('by %i ms retries a task after its backoff by the clock of the database', async (skew) => {
    setClock(skew)
    const { url, inbox } = await openScene(1)
    const host = new Host().on('push', { name: 'a', backoff: 60_000 }, () => {
      throw new Error('not yet')
    })
    const worker = new Worker(inbox, host)
    onTestFinished(() => worker.stop(0))
    worker.start()
    const client = new pg.Client({ connectionString: url })
    onTestFinished(() => client.end())
    await client.connect()
    const wait = await eventually(async () => {
      const [row] = (await client.query(selectWait)).rows
      expect(row).toBeDefined()
      return row.wait as number
    })
    expect(wait).toBeGreaterThan(20_000)
    expect(wait).toBeLessThan(100_000)
  })
})

describe('the clock of the database', () => {
  const clockOf = async (skew: number) => {
    const database = await createTables(await server.create())
    onTestFinished(() => database.close())
    setClock(skew)
    return { database, clock: new DatabaseClock(database) }
  }

  test('is the clock of the machine if the two differ by less than a second', async () => {
    const { database, clock } = await clockOf(400)
    await clock.compare(() => readTime(database))
    const before = Date.now()
    expect(clock.now()).toBeGreaterThanOrEqual(before)
    expect(clock.now()).toBeLessThanOrEqual(Date.now())
  })

  test('is compared again in the background after ten seconds', async () => {
    const { clock } = await clockOf(hour)
    const { time } = { time: performance.now() }
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1000)
    const monotonic = vi.spyOn(performance, 'now').mockImplementation(() => time + 10_001)
    onTestFinished(() => monotonic.mockRestore())
    clock.now()
    await eventually(() => expect(Math.abs(clock.now() - (Date.now() - hour))).toBeLessThan(10_000))
  })
})

/** Sets the clock of this machine `skew` milliseconds ahead, until the test has ended. */
function setClock(skew: number): void {
  const real = Date.now
  const spy = vi.spyOn(Date, 'now').mockImplementation(() => real() + skew)
  onTestFinished(() => spy.mockRestore())
}

/** The milliseconds until the retry of the task. */
const selectWait = `
  select next_at - extract(epoch from clock_timestamp())::float8 * 1000 as wait from tasks where state = 'retrying'`
