import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FailureGroup } from '../../../src/inbox/failure-groups.ts'
import { stateIn, storeIn } from '../../inbox/stores.ts'
import { type Admin, openAdmin } from '../administered.ts'
import { handle } from './handled.ts'

const error = 'Error: No tracker\n    at file (/app/hooks.ts:1:2)'

async function fail(admin: Admin, handler: string, outcome: 'dead' | 'failed' = 'dead', text = error): Promise<number> {
  const id = await storeIn(admin.inbox, {}, { event: 'issues' })
  await handle(admin.inbox, id, { handler, outcome, facts: { repository: 'acme/shop' }, more: { error: text } })
  return id
}

let admin: Admin
let ids: number[]
beforeAll(async () => {
  admin = await openAdmin({ atTheEnd: afterAll })
  ids = [await fail(admin, 'tracker'), await fail(admin, 'tracker', 'failed'), await fail(admin, 'other')]
})

const groupOf = async (handler: string): Promise<FailureGroup> =>
  (await admin.get(`/api/v1/failures?handler=${handler}`)).json.failures[0]

test('failure groups are listed with their counts', async () => {
  const { status, json } = await admin.get('/api/v1/failures')
  expect(status).toBe(200)
  expect(json.total).toBe(2)
  expect(await groupOf('tracker')).toEqual({
    ...{ id: expect.any(Number), handler: 'tracker', error: 'Error: No tracker' },
    ...{
      tasks: { dead: 1, retrying: 1, pending: 0, running: 0 },
      firstAt: expect.any(Number),
      lastAt: expect.any(Number),
    },
    ...{ hours: expect.any(Array), repositories: [{ repository: 'acme/shop', count: 2 }] },
  })
})

test('failure groups are filtered by time, and divided into pages', async () => {
  const first = (await admin.get('/api/v1/failures?limit=1&since=1h')).json
  expect(first.failures).toHaveLength(1)
  const second = (await admin.get(`/api/v1/failures?limit=1&cursor=${first.next}`)).json
  expect(second.next).toBeUndefined()
  expect(new Set([...first.failures, ...second.failures].map(({ handler }) => handler))).toEqual(
    new Set(['tracker', 'other']),
  )
  const later = new Date(Date.now() + 3_600_000).toISOString()
  expect((await admin.get(`/api/v1/failures?since=${later}`)).json).toEqual({ failures: [], total: 0 })
  for (const wrong of ['cursor=x', 'since=x', 'limit=0', 'limit=101', 'handler=', 'other=1']) {
    expect((await admin.get(`/api/v1/failures?${wrong}`)).json.code).toBe('invalid_request')
  }
})

test('a failure group has its newest failure with the stack', async () => {
  const { id } = await groupOf('tracker')
  const { json } = await admin.get(`/api/v1/failures/${id}`)
  expect(json).toMatchObject({ id, handler: 'tracker' })
  expect(json.example).toMatchObject({
    id: ids[1],
    event: 'issues',
    repository: 'acme/shop',
    attempt: { number: 1, error },
  })
  const { tasks } = (await admin.get(`/api/v1/deliveries/${ids[0]}`)).json
  expect(tasks[0].failureGroup).toBe(id)
})

test.each(['', '/retry', '/discard'])('is answered 404 if there is no such group: %s', async (act) => {
  for (const id of ['7', 'x', '0']) {
    const path = `/api/v1/failures/${id}${act}`
    const { status, json } = await (act === '' ? admin.get(path) : admin.post(path))
    expect([status, json.code, json.detail]).toEqual([404, 'not_found', expect.stringContaining(`failure group ${id}`)])
  }
})

test.each(['retry', 'discard'] as const)(
  '%s changes the tasks of the group, after a dry run that only counts',
  async (act) => {
    const handler = `to-${act}`
    const failed = [await fail(admin, handler), await fail(admin, handler, 'failed')]
    const { id } = await groupOf(handler)
    const before = admin.recorder.lines.length
    expect((await admin.post(`/api/v1/failures/${id}/${act}`, { dryRun: true })).json).toEqual({ count: 2 })
    expect(await stateIn(admin.inbox, failed[0] as number)).toBe('dead')
    expect(admin.recorder.lines).toHaveLength(before)
    const body = act === 'discard' ? { reason: 'not needed' } : {}
    expect((await admin.post(`/api/v1/failures/${id}/${act}`, body)).json).toEqual({ count: 2 })
    for (const one of failed) expect(await stateIn(admin.inbox, one)).toBe(act === 'retry' ? 'pending' : 'discarded')
    expect(admin.recorder.lines.at(-1)).toMatchObject({
      fields: { act: `${act} failures`, what: { id, handler }, count: 2 },
    })
    if (act === 'discard') expect((await admin.inbox.get(failed[0] as number))?.reason).toBe('not needed')
  },
)
