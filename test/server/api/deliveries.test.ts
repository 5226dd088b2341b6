import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storeIn } from '../../inbox/stores.ts'
import { type Admin, openAdmin } from '../administered.ts'
import { handle } from './handled.ts'

const hour = 3_600_000

/** The API of an inbox with three different deliveries. */
let admin: Admin
/** The ids of the deliveries, by state. */
let ids: { done: number; dead: number; pending: number }

beforeAll(async () => {
  admin = await openAdmin({ atTheEnd: afterAll })
  const { inbox } = admin
  const done = await storeIn(inbox, {}, { event: 'issues', source: '/one', receivedAt: Date.now() - 50 * hour })
  const issue = { action: 'opened', repository: 'acme/shop', sender: 'octocat', title: 'It burns', number: 7 }
  await handle(inbox, done, { facts: issue })
  const dead = await storeIn(inbox, { after: 'b0b' }, { guid: 'g-dead', receivedAt: Date.now() - 3 * hour })
  await handle(inbox, dead, {
    facts: { repository: 'acme/site', ref: 'refs/heads/main', sha: 'b0b' },
    ...{ handler: 'publish', outcome: 'dead' },
  })
  const pending = await storeIn(inbox, {}, { event: 'ping', pulled: true })
  ids = { done, dead, pending }
})

const idsOf = (json: { deliveries: { id: number }[] }) => json.deliveries.map(({ id }) => id)

describe('the list', () => {
  test('has all deliveries, newest first', async () => {
    const { status, headers, json } = await admin.get('/api/v1/deliveries')
    expect(status).toBe(200)
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' })
    expect(idsOf(json)).toEqual([ids.pending, ids.dead, ids.done])
    expect(json).toMatchObject({ scanned: 3, left: 0 })
    expect(json.deliveries[2]).toMatchObject({ event: 'issues', action: 'opened', state: 'done', number: 7 })
  })

  test.each([
    ['state=dead', ['dead']],
    ['event=issues', ['done']],
    ['action=opened', ['done']],
    ['repository=acme/site', ['dead']],
    ['sender=octocat', ['done']],
    ['source=/one', ['done']],
    ['guid=g-dead', ['dead']],
    ['ref=refs/heads/main', ['dead']],
    ['sha=b0b', ['dead']],
    ['number=7', ['done']],
    ['handler=publish', ['dead']],
    ['flag=pulled', ['pending']],
    ['flag=conflict', []],
    ['since=2h', ['pending']],
    ['since=4h', ['pending', 'dead']],
    ['until=2h', ['dead', 'done']],
    ['since=2d&until=2h', ['dead']],
    [`since=${Date.now() - 2 * hour}`, ['pending']],
    [`since=${new Date(Date.now() - 2 * hour).toISOString()}`, ['pending']],
    [`until=${encodeURIComponent('2000-01-01T00:00+02:00')}`, []],
    ['since=2000-01-01', ['pending', 'dead', 'done']],
    ['q=burns', ['done']],
    ['q=acme', ['dead', 'done']],
    ['q=acme state:dead', ['dead']],
    ['q=.after:b0b', ['dead']],
    ['q=state:dead,pending', ['pending', 'dead']],
    ['q=-state:done,pending', ['dead']],
    ['q=org:acme', ['dead', 'done']],
    ['q=event:iss* or state:dead', ['dead', 'done']],
    ['q=state:dead,done&state=done', ['done']],
    ['q=state:dead&state=dead', ['dead']],
    ['q=since:2h', ['pending']],
    ['q=since:2d until:2h', ['dead']],
    ['q=acme&event=issues', ['done']],
    ['state=done&event=ping', []],
    ['event=%00', []],
    ['repository=%00', []],
    ['handler=%00', []],
    ['guid=%00', []],
    ['q=event:', []],
  ] as [string, ('done' | 'dead' | 'pending')[]][])('filtered by %s has %j', async (query, expected) => {
    const { status, json } = await admin.get(`/api/v1/deliveries?${query.replaceAll(' ', '%20')}`)
    expect([status, json.detail]).toEqual([200, undefined])
    expect(idsOf(json)).toEqual(expected.map((name) => ids[name]))
  })

  test('is returned in pages', async () => {
    const first = await admin.get('/api/v1/deliveries?limit=2')
    expect(idsOf(first.json)).toEqual([ids.pending, ids.dead])
    expect(first.json).toMatchObject({ next: expect.any(String), reached: ids.dead, left: 1 })
    const second = await admin.get(`/api/v1/deliveries?limit=2&cursor=${first.json.next}`)
    expect(idsOf(second.json)).toEqual([ids.done])
    expect(second.json).not.toHaveProperty('next')
    expect(second.json).not.toHaveProperty('reached')
  })

  test('begins below the lower of the cursor and "before"', async () => {
    const { json } = await admin.get('/api/v1/deliveries?limit=1')
    const idsAfter = async (before: number) =>
      idsOf((await admin.get(`/api/v1/deliveries?cursor=${json.next}&before=${before}`)).json)
    expect(await idsAfter(ids.pending + 1)).toEqual([ids.dead, ids.done])
    expect(await idsAfter(ids.dead)).toEqual([ids.done])
  })

  test.each([
    ['state=broken', 'state', 'one of pending, running'],
    ['flag=red', 'flag', 'one of conflict, replayed, pulled, gone, retried'],
    ['number=-1', 'number', 'a whole number'],
    ['number=1.5', 'number', 'a whole number'],
    ['limit=0', 'limit', 'a whole number from 1 to 500'],
    ['limit=501', 'limit', 'a whole number from 1 to 500'],
    ['before=x', 'before', 'a whole number'],
    ['cursor=41', 'cursor', 'the member "next" of a page'],
    ['cursor=', 'cursor', 'the member "next" of a page'],
    ['before=99999999999999999', 'before', 'a whole number'],
    ['since=yesterday', 'since', 'an age such as 2h or 7d'],
    ['since=2026-13-01', 'since', 'a date'],
    ['since=2026-01-31T12:00', 'since', 'a date such as 2026-01-31 or 2026-01-31T12:00:00Z'], // without a time zone
    ['until=0h', 'until', 'an age'],
    ['event=', 'event', 'a single non-blank text'],
    ['event=%20', 'event', 'a single non-blank text'],
    [`event=${'x'.repeat(1001)}`, 'event', 'at most 1000 characters'],
    ['event=push&event=ping', 'event', 'a single non-blank text'],
    ['stat=dead', 'stat', 'one of state, event'],
    ['__proto__=x', '__proto__', 'one of state'],
    ['toString=x', 'toString', 'one of state'],
    ['words=x', 'words', 'one of state'],
    ['q=', 'q', 'a single non-blank text'],
    ['q=state:broken', 'q.state', 'one of pending'],
    ['q=state:ded', 'q.state', 'Did you mean "dead"?'],
    ['q=https://x.example/', 'q.address', 'the address of a repository'],
    [`q=number:${'7,'.repeat(101)}7`, 'q', 'at most 100 values, got 102'],
    ['q=since:tomorrowish', 'q.since', 'milliseconds since 1970, a date'],
    ['q=is:odd', 'q.is', 'one of conflict, replayed, pulled, gone, retried'],
    ['q=state:dead&state=done', 'q', 'a search without the filter state, or with the same value'],
    ['q=%00', 'q.words', 'no control characters'],
    ['q=dead%00', 'q.words', 'no control characters'],
    ['q=%22%0A%22', 'q.words', 'no control characters'],
    ['q=%22%22', 'q.words', 'not empty'],
    [`q=${'a+'.repeat(21)}`, 'q', '20 words'],
  ])('rejects %s and names the expected value', async (query, name, expected) => {
    const { json, status } = await admin.get(`/api/v1/deliveries?${query}`)
    expect(status).toBe(400)
    expect(json).toMatchObject({ code: 'invalid_request', status: 400 })
    expect(json.errors).toEqual([{ name, expected: expect.stringContaining(expected) }])
    expect(json.detail).toBe(`${name}: expected ${json.errors[0].expected}`)
  })

  test('corrects an unknown key of a search', async () => {
    const { json, status } = await admin.get('/api/v1/deliveries?q=status:dead%20state:x')
    expect([status, json.errors[0]]).toEqual([400, { name: 'q.status', expected: 'a known key' }])
    expect(json.detail).toMatch(/^Unknown key "status"\. Did you mean "state"\? .*; q\.state: expected one of/)
  })

  test('reports all problems together', async () => {
    const { json } = await admin.get('/api/v1/deliveries?state=x&limit=0&since=x&color=red')
    expect(json.errors.map(({ name }: { name: string }) => name)).toEqual(['state', 'limit', 'since', 'color'])
    expect(json.detail.split('; ')).toHaveLength(4)
  })
})
