import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { day, hour, minute } from '../../../src/runtime/units.ts'
import { storeIn } from '../../inbox/stores.ts'
import { type Admin, openAdmin } from '../administered.ts'
import { handle } from './handled.ts'

let admin: Admin
/** The start of an hour, a few hours ago. */
const began = Math.floor(Date.now() / hour) * hour - 5 * hour

beforeAll(async () => {
  admin = await openAdmin({ atTheEnd: afterAll })
  for (const minutes of [0, 10, 10, 130]) {
    await storeIn(admin.inbox, {}, { event: 'push', receivedAt: began + minutes * minute })
  }
  const id = await storeIn(admin.inbox, {}, { event: 'issues', receivedAt: began + 70 * minute })
  await handle(admin.inbox, id, { outcome: 'dead' })
  const received = (at: number, count: number, outcome = 'stored') => ({
    ...{ at, measure: 'received' as const, name: 'push', outcome, count },
  })
  await admin.inbox.addCounts([
    ...[received(began, 7), received(began + 2 * hour, 9, 'duplicate'), received(began + 3 * hour, 8)],
    ...[received(began - 10 * day, 5), { ...received(began, 3), measure: 'answers' as const }],
  ])
})

const histogram = async (query: string) => (await admin.get(`/api/v1/histogram?${query}`)).json
/** The steps with deliveries: minutes since `began`, received and failed. */
const stepsIn = ({ since, step, received, failed = [] }: Awaited<ReturnType<typeof histogram>>) =>
  received.flatMap((count: number, index: number) => {
    if (count === 0 && !failed[index]) return []
    return [[(since + index * step - began) / minute, count, failed[index]]]
  })

test('the deliveries of a search are counted by time, from the first one', async () => {
  const all = await histogram('')
  expect(all).toMatchObject({ step: 5 * minute, covers: 'search' })
  expect(all.received.length).toBeLessThanOrEqual(101)
  expect(stepsIn(all)).toEqual([
    [0, 1, 0],
    [10, 2, 0],
    [70, 1, 1],
    [130, 1, 0],
  ])
  expect(stepsIn(await histogram('q=state:dead'))).toEqual([[70, 1, 1]])
  expect(stepsIn(await histogram('event=push&q=octocat'))).toEqual([])
  expect(stepsIn(await histogram('q=event:none'))).toEqual([])
})

test('a short range has short steps', async () => {
  const range = await histogram(`since=${began + 9 * minute}&until=${began + 11 * minute}`)
  expect(range).toMatchObject({ since: began + 9 * minute, until: began + 11 * minute, step: 2000, covers: 'search' })
  expect(range.received).toHaveLength(60)
  expect(stepsIn(range)).toEqual([[10, 2, 0]])
})

test('a search in payloads shows the counts of all received deliveries, and no duplicates', async () => {
  const all = await histogram(`q=.zen:quiet&since=${began - hour}`)
  expect(all).toMatchObject({ step: 5 * minute, covers: 'all' })
  expect(stepsIn(all)).toEqual([
    [0, 7, 0],
    [70, 0, 1],
    [180, 8, 0],
  ])
  const older = await histogram('q=.zen:quiet')
  expect(older).toMatchObject({ step: 3 * hour, covers: 'all' })
  expect(older.received.reduce((sum: number, count: number) => sum + count, 0)).toBe(20)
})

test('deliveries that take too long to count are not counted one by one', async () => {
  const { inbox } = admin
  const { timeCounts } = inbox
  onTestFinished(() => void Object.assign(inbox, { timeCounts }))
  inbox.timeCounts = async () => ({ counts: [], next: 1 })
  const all = await histogram(`q=state:done&since=${began}`)
  expect(all.covers).toBe('all')
  expect(all).not.toHaveProperty('failed')
  expect(stepsIn(all)).toEqual([
    [0, 7, undefined],
    [180, 8, undefined],
  ])
})

test('a time before the kept counts has no numbers, and says so', async () => {
  const since = Date.now() - 90 * day
  const until = since + 30 * day
  const old = await histogram(`q=.zen:quiet&since=${since}&until=${until}`)
  expect(old).toEqual({ since, until, step: hour, received: [], covers: 'none' })
  expect(await histogram(`q=.zen:quiet&until=${until}`)).toMatchObject({ received: [], covers: 'none' })
  expect((await histogram(`q=.zen:quiet&since=${since}&until=${Date.now()}`)).covers).toBe('all')
  expect((await histogram(`q=.zen:quiet&since=${Date.now() + day}`)).covers).toBe('all')
})

test('a range in the future, and an invalid search, are answered', async () => {
  const later = await histogram(`since=${Date.now() + day}&until=${Date.now() + 2 * day}`)
  expect(later.received).toEqual([0])
  expect((await histogram('q=sate:dead')).code).toBe('invalid_request')
  expect((await histogram('limit=1')).code).toBe('invalid_request')
})
