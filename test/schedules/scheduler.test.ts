import { describe, expect, test } from 'vitest'
import type { Store } from '../../src/inbox/inbox.ts'
import { readSchedules, updateSchedules } from '../../src/schedules/stored-schedules.ts'
import { inboxFile, openInbox, withMembers } from '../inbox/stores.ts'
import { begin, runProcess, scheduledIn, scheduleOf, schedulerOf, TestClock } from './scene.ts'

const nightly = scheduleOf('nightly', '0 3 * * *')
const minutely = scheduleOf('minutely', '* * * * *')
const three = '2026-06-01T03:00:00.000Z'

async function start(schedule = nightly, parts: Parameters<typeof schedulerOf>[3] = {}, inbox: Store = openInbox()) {
  const clock = new TestClock(begin)
  const scene = schedulerOf(inbox, clock, [schedule], parts)
  await scene.scheduler.wake()
  return { ...scene, inbox, clock }
}

describe('a scheduler', () => {
  test('makes no delivery when it starts, and one at each time', async () => {
    const { stored, wakeAt, inbox } = await start()
    expect(stored).toEqual([])
    await wakeAt('2026-06-01T02:59:59.999Z')
    expect(stored).toEqual([])
    await wakeAt(three)
    await wakeAt('2026-06-01T04:00Z')
    await wakeAt('2026-06-02T03:00:01Z')
    expect(stored).toEqual([three, '2026-06-02T03:00:00.000Z'])
    const [first] = await scheduledIn(inbox)
    const expected = { source: 'schedule', event: 'schedule', guid: `schedule:nightly:${three}` }
    expect(first).toMatchObject(expected)
    const body = await inbox.body(first?.id ?? 0)
    expect(JSON.parse(new TextDecoder().decode(body))).toEqual({ action: 'nightly', time: three })
  })

  test('waits until the next time, but looks at the clock at least once a minute', async () => {
    const { clock, wakeAt, scheduler } = await start()
    expect(clock.delay).toBe(60_000)
    await wakeAt('2026-06-01T02:59:45Z')
    expect(clock.delay).toBe(15_000)
    await scheduler.stop()
    expect(clock.delay).toBeUndefined()
  })

  test('makes no second delivery when the clock jumps by an hour forth and back', async () => {
    const { stored, wakeAt } = await start(scheduleOf('hourly', '0 * * * *'))
    await wakeAt('2026-06-01T00:30Z')
    await wakeAt('2026-06-01T01:30Z') // an hour ahead
    await wakeAt('2026-06-01T00:31Z') // right again
    await wakeAt('2026-06-01T01:00Z')
    await wakeAt('2026-06-01T02:00Z')
    await wakeAt('2026-06-01T01:01Z') // an hour behind
    await wakeAt('2026-06-01T02:00Z')
    await wakeAt('2026-06-01T03:00Z')
    expect(stored.map((time) => time.slice(11, 13))).toEqual(['01', '02', '03'])
  })

  test('goes on when a clock that was set ahead by years is right again', async () => {
    const { stored, wakeAt } = await start()
    await wakeAt('2031-06-01T03:00Z')
    await wakeAt('2026-06-01T00:01Z')
    await wakeAt(three)
    expect(stored).toEqual(['2031-06-01T03:00:00.000Z', three])
  })

  test('makes one delivery over each change of daylight saving time', async () => {
    const daily = scheduleOf('daily', '30 2 * * *', { timezone: 'Europe/Berlin' })
    for (const [day, time] of [
      ['2026-03-29', '2026-03-29T01:00:00.000Z'], // 02:30 does not exist
      ['2026-10-25', '2026-10-25T00:30:00.000Z'], // 02:30 exists twice
    ] as const) {
      const clock = new TestClock(`${day}T00:00Z`)
      const { scheduler, stored } = schedulerOf(openInbox(), clock, [daily])
      for (let minute = 0; minute <= 240; minute += 10) {
        await scheduler.wake()
        clock.time += 600_000
      }
      expect(stored).toEqual([time])
    }
  })

  test('makes a delivery for the latest time after an outage', async () => {
    const { inbox, scheduler } = await start(minutely)
    await scheduler.stop()
    const { stored, wakeAt } = schedulerOf(inbox, new TestClock(begin), [minutely])
    await wakeAt('2026-06-03T12:00:30Z')
    await wakeAt('2026-06-03T12:01:00Z')
    expect(stored).toEqual(['2026-06-03T12:00:00.000Z', '2026-06-03T12:01:00.000Z'])
  })

  test('makes no delivery for a missed time with missed: skip', async () => {
    const { inbox, scheduler } = await start(scheduleOf('nightly', '0 3 * * *', { missed: 'skip' }))
    await scheduler.stop()
    const skipping = [scheduleOf('nightly', '0 3 * * *', { missed: 'skip' })]
    const { stored, wakeAt, recorder } = schedulerOf(inbox, new TestClock(begin), skipping)
    await wakeAt('2026-06-01T03:01:01Z')
    expect([stored, recorder.messages]).toEqual([[], ['Skipped a missed time']])
    await wakeAt('2026-06-02T03:01:00Z') // late, but not missed
    expect(stored).toEqual(['2026-06-02T03:00:00.000Z'])
  })

  test('does not count the times before the cron text was changed as missed', async () => {
    const { inbox, scheduler } = await start()
    await scheduler.stop()
    const { stored, wakeAt } = schedulerOf(inbox, new TestClock(begin), [scheduleOf('nightly', '0 4 * * *')])
    await wakeAt('2026-06-01T12:00Z')
    await wakeAt('2026-06-02T04:00Z')
    expect(stored).toEqual(['2026-06-02T04:00:00.000Z'])
  })

  test('tries again when the inbox fails', async () => {
    const inbox = openInbox()
    let fails = true
    const failing = withMembers(inbox, {
      store: (delivery) => (fails ? Promise.reject(new Error('disk full')) : inbox.store(delivery)),
    })
    const { wakeAt, clock, recorder } = await start(nightly, {}, failing)
    await wakeAt(three)
    expect(recorder.messages).toEqual(['Cannot make the delivery of a schedule; hookserver tries again'])
    expect(clock.delay).toBe(5000)
    fails = false
    await wakeAt('2026-06-01T03:00:05Z')
    expect(await scheduledIn(inbox)).toMatchObject([{ guid: `schedule:nightly:${three}` }])
  })

  test('tries again when the inbox fails at the start', async () => {
    const inbox = openInbox()
    let fails = true
    const failing = withMembers(inbox, {
      getValue: (key) => (fails ? Promise.reject(new Error('disk full')) : inbox.getValue(key)),
    })
    const { scheduler, clock, recorder } = await start(nightly, {}, failing)
    expect(recorder.messages).toEqual(['Cannot register schedules; hookserver tries again'])
    expect(clock.delay).toBe(5000)
    fails = false
    await scheduler.wake()
    expect([...(await readSchedules(inbox)).keys()]).toEqual(['nightly'])
  })

  test('stores changed options at once, and keeps the time until which the schedule was handled', async () => {
    const { inbox, scheduler } = await start()
    await scheduler.stop()
    const changed = scheduleOf('nightly', '0 3 * * *', { each: 'repository' })
    const { wakeAt, stored } = schedulerOf(inbox, new TestClock(begin), [changed])
    await wakeAt('2026-06-01T03:00:01Z')
    expect((await readSchedules(inbox)).get('nightly')).toMatchObject({ each: 'repository' })
    expect(stored).toEqual([three])
  })

  test('warns about a day that does not exist', async () => {
    const { recorder } = await start(scheduleOf('never', '0 0 31 2 *'))
    expect(recorder.messages).toEqual(['A schedule has no time at which it is due: check its cron text'])
  })

  test('registers a schedule that is added later, and forgets one that is gone for a month', async () => {
    const inbox = openInbox()
    const [clock, schedules] = [new TestClock(begin), [nightly]]
    const { scheduler, stored, wakeAt } = schedulerOf(inbox, clock, schedules)
    await updateSchedules(inbox, (all) => void all.set('old', { time: '', missed: 'latest', handledUntil: 0, next: 1 }))
    schedules.push(minutely)
    await scheduler.wake()
    expect([...(await readSchedules(inbox)).keys()]).toEqual(['nightly', 'minutely'])
    schedules.shift()
    await wakeAt('2026-06-01T03:00:10Z')
    expect(stored).toEqual([three])
    expect((await scheduledIn(inbox)).map(({ guid }) => guid)).toEqual([`schedule:minutely:${three}`])
  })

  test('leaves the delivery to the process that has the lease', async () => {
    const inbox = openInbox()
    const entered = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    const store = async () => {
      entered.resolve()
      await released.promise
    }
    const [holder, other] = [await start(nightly, { store }, inbox), await start(nightly, {}, inbox)]
    const holding = holder.wakeAt(three)
    await entered.promise
    await other.wakeAt(three)
    expect(other.clock.delay).toBe(5000)
    released.resolve()
    await holding
    await other.wakeAt('2026-06-01T03:00:05Z')
    expect(other.stored).toEqual([])
  })
})

describe('two processes on one SQLite file', () => {
  test('make one delivery for each time', async () => {
    const file = inboxFile()
    const stored = await Promise.all([runProcess(file, 10), runProcess(file, 10)])
    expect(stored.map(Number).reduce((sum, one) => sum + one)).toBe(10)
    const guids = (await scheduledIn(openInbox(file))).map(({ guid }) => guid)
    expect([guids.length, new Set(guids).size]).toEqual([10, 10])
  })

  test.each(['before it stores', 'after it has stored'])(
    'make one delivery if one of them is killed %s',
    async (death) => {
      const file = inboxFile()
      await expect(runProcess(file, 1, death)).rejects.toMatchObject({ signal: 'SIGKILL' })
      await runProcess(file, 1)
      expect(await scheduledIn(openInbox(file))).toMatchObject([{ guid: 'schedule:often:2026-06-01T00:01:00.000Z' }])
    },
  )
})
