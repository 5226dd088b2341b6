import { expect, test } from 'vitest'
import { Hooks } from '../../../src/hooks.ts'
import { scheduledIn, scheduleOf, schedulerOf, TestClock } from '../../schedules/scene.ts'
import { openAdmin } from '../administered.ts'

async function withSchedule() {
  const hooks = new Hooks({ secret: 's' })
  hooks.schedule('stale', '0 3 * * *', { timezone: 'Europe/Berlin' }, () => undefined)
  const admin = await openAdmin({ hooks })
  const stale = scheduleOf('stale', '0 3 * * *', { timezone: 'Europe/Berlin' })
  const { scheduler } = schedulerOf(admin.inbox, new TestClock('2026-06-01T00:00Z'), [stale])
  await scheduler.wake()
  return admin
}

const next = Date.parse('2026-06-01T01:00Z')

test('schedules are listed with their next time', async () => {
  const admin = await withSchedule()
  const { status, json } = await admin.get('/api/v1/schedules')
  const [time, handledUntil] = ['0 3 * * *', Date.parse('2026-06-01')]
  expect(status).toBe(200)
  expect(json.schedules).toEqual([
    { name: 'stale', time, timezone: 'Europe/Berlin', missed: 'latest', handledUntil, next, paused: false },
  ])
})

test('a handler is listed with its schedule', async () => {
  const { json } = await (await withSchedule()).get('/api/v1/handlers')
  expect(json.handlers[0]).toMatchObject({
    ...{ name: 'stale', events: ['schedule.stale'] },
    schedule: { time: '0 3 * * *', timezone: 'Europe/Berlin', next },
  })
})

test('a run makes a delivery now, and names it', async () => {
  const admin = await withSchedule()
  const { status, json, headers } = await admin.post('/api/v1/schedules/stale/run')
  expect(status).toBe(201)
  expect(headers.location).toBe(`/api/v1/deliveries/${json.id}`)
  expect(await scheduledIn(admin.inbox)).toMatchObject([{ id: json.id, guid: json.guid, source: 'schedule' }])
})

test('an unknown schedule is 404, with the names of those that exist', async () => {
  const { status, json } = await (await withSchedule()).post('/api/v1/schedules/other/run')
  expect([status, json.code]).toEqual([404, 'not_found'])
  expect(json.detail).toBe('There is no schedule other: the schedules are stale')
})
