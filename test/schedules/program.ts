/**
 * A process that makes the deliveries of a schedule, as fast as it can: its clock goes forward by a minute whenever a
 * minute has been handled. It prints how many deliveries it has stored.
 */
import { setImmediate } from 'node:timers/promises'
import { storeScheduled } from '../../src/schedules/scheduled-delivery.ts'
import { Scheduler } from '../../src/schedules/scheduler.ts'
import { readSchedules } from '../../src/schedules/stored-schedules.ts'
import { childLogger, silentLogger } from '../../src/telemetry/logger.ts'
import { scheduleOf, TestClock } from './scene.ts'

/** When the process kills itself, if it does. */
type Death = 'before it stores' | 'after it has stored' | undefined

interface Input {
  /** A file of SQLite, or the URL of a PostgreSQL database. */
  store: string
  begin: string
  minutes: number
  death: Death
}

const { store, begin, minutes, death } = JSON.parse(process.argv[2] ?? '') as Input
const inbox = store.startsWith('postgres')
  ? (await import('../../dist/postgres/index.js')).postgres(store)
  : (await import('../../dist/sqlite/index.js')).sqlite(store)
const clock = new TestClock(begin)
const schedule = scheduleOf('often', '* * * * *')
let stored = 0
const scheduler = new Scheduler({
  ...{ inbox, clock, schedules: () => [schedule], logger: childLogger(silentLogger), leaseDuration: 200 },
  async store(delivery) {
    if (death === 'before it stores') process.kill(process.pid, 'SIGKILL')
    await storeScheduled(inbox, delivery)
    stored++
    if (death === 'after it has stored') process.kill(process.pid, 'SIGKILL')
  },
})
await scheduler.wake()
for (let minute = 0; minute < minutes; minute++) {
  clock.time += 60_000
  do {
    await scheduler.wake()
    await setImmediate()
  } while (((await readSchedules(inbox)).get('often')?.handledUntil ?? 0) < clock.time)
}
await scheduler.stop()
await inbox.close()
console.log(stored)
