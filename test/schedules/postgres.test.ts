import { expect, onTestFinished, test } from 'vitest'
import { Hooks } from '../../src/index.ts'
import { postgres } from '../../src/postgres/index.ts'
import { nextDue } from '../../src/schedules/due-time.ts'
import { eventually } from '../inbox/stores.ts'
import { databases } from '../postgres/databases.ts'
import { runProcess, scheduledIn, schedulerOf, schedulesOf, TestClock } from './scene.ts'

const { create } = databases()

test('four Hooks on PostgreSQL handle each time once', async () => {
  const url = await create()
  const handled: string[] = []
  const inboxes = Array.from({ length: 4 }, () => postgres(url))
  const clock = new TestClock(Date.now())
  const schedulers = inboxes.map((inbox) => {
    const hooks = new Hooks({ secret: 'a secret', logger: false, inbox })
    onTestFinished(() => hooks.close({ grace: 0 }))
    hooks.schedule('yearly', '0 3 1 1 *', ({ payload }) => handled.push(payload.time))
    hooks.work()
    return { hooks, ...schedulerOf(inbox, clock, schedulesOf(hooks)) }
  })
  const wakeAll = () => Promise.all(schedulers.map(({ scheduler }) => scheduler.wake()))
  const times: string[] = []
  await wakeAll()
  for (let year = 0; year < 3; year++) {
    clock.time = nextDue({ cron: '0 3 1 1 *', timezone: 'UTC' }, clock.time) as number
    times.push(new Date(clock.time).toISOString())
    await wakeAll()
    await wakeAll() // those that did not get the lease
  }
  expect(schedulers.flatMap(({ stored }) => stored)).toEqual(expect.arrayContaining(times))
  expect(schedulers.flatMap(({ stored }) => stored)).toHaveLength(3)
  await eventually(() => expect(handled.toSorted()).toEqual(times))
  const [inbox] = inboxes
  const deliveries = inbox ? await scheduledIn(inbox) : []
  expect(deliveries.map(({ tasks }) => tasks.map(({ attempts }) => attempts.length))).toEqual([[1], [1], [1]])
})

test.each(['before it stores', 'after it has stored'])(
  'three processes make one delivery for each time after a fourth one was killed %s',
  async (death) => {
    const url = await create()
    await expect(runProcess(url, 5, death)).rejects.toMatchObject({ signal: 'SIGKILL' })
    await Promise.all([1, 2, 3].map(() => runProcess(url, 5))) // the lease of the killed process lasts a little longer
    const inbox = postgres(url)
    onTestFinished(() => inbox.close())
    const guids = (await scheduledIn(inbox)).map(({ guid }) => guid)
    expect(guids).toEqual([1, 2, 3, 4, 5].map((minute) => `schedule:often:2026-06-01T00:0${minute}:00.000Z`))
  },
)
