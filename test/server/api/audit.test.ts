import { expect, test } from 'vitest'
import type { Recovery } from '../../../src/github/recovery/recovery.ts'
import { Hooks } from '../../../src/hooks.ts'
import { updateSchedules } from '../../../src/schedules/stored-schedules.ts'
import { openInbox, storeIn, withMembers } from '../../inbox/stores.ts'
import { type Admin, fromPage, logIn, openAdmin, readOnlyToken, token, withCookie } from '../administered.ts'
import { handle } from './handled.ts'

const entriesOf = async (admin: Admin, query = '') => (await admin.get(`/api/v1/audit${query}`)).json.entries

/** Stores deliveries whose handlers have failed. @returns their ids. */
async function storeDead({ inbox }: Admin, count: number): Promise<number[]> {
  const ids: number[] = []
  for (let i = 0; i < count; i++) {
    const id = await storeIn(inbox, { i })
    await handle(inbox, id, { outcome: 'dead' })
    ids.push(id)
  }
  return ids
}

test('lists who changed what, with the access, the address and the result', async () => {
  const admin = await openAdmin()
  const [one, two] = await storeDead(admin, 2)
  await admin.post(`/api/v1/deliveries/${one}/retry`)
  await admin.post('/api/v1/deliveries/discard', { query: { state: 'dead', q: 'repo:acme/*' }, reason: 'old' })
  await admin.post('/api/v1/deliveries/discard', { query: { state: 'dead', since: 0 }, reason: 'old' })
  await admin.post('/api/v1/handlers/pause', { all: true })
  const { json } = await admin.post('/api/v1/deliveries', { event: 'push', payload: { secret: 'of the payload' } })
  await admin.post(`/api/v1/deliveries/${two}/signature`)
  const entries = await entriesOf(admin)
  const who = { access: 'token', address: '127.0.0.1', id: expect.any(Number), at: expect.any(Number) }
  expect(entries).toEqual([
    { ...who, action: 'sign', target: {}, count: 1, deliveries: [two] },
    { ...who, action: 'send', target: { event: 'push' }, count: 1, deliveries: [json.id] },
    { ...who, action: 'pause', target: { handler: '*' }, count: 1, deliveries: [] },
    {
      ...{ ...who, action: 'discard', count: 1, deliveries: [two] },
      target: { search: 'state:dead since:1970-01-01T00:00:00.000Z', reason: 'old' },
    },
    { ...who, action: 'retry', target: {}, count: 1, deliveries: [one] },
  ])
  expect(JSON.stringify(entries)).not.toContain('of the payload')
})

test('names the handler of a retry of one handler', async () => {
  const admin = await openAdmin()
  const [one, two] = await storeDead(admin, 2)
  await admin.post(`/api/v1/deliveries/${one}/retry`, { handler: 'deploy' })
  await admin.post('/api/v1/deliveries/retry', { query: { state: 'dead' }, handler: 'deploy' })
  expect(await entriesOf(admin)).toMatchObject([
    { action: 'retry', target: { search: 'state:dead', handler: 'deploy' }, count: 1, deliveries: [two] },
    { action: 'retry', target: { handler: 'deploy' }, count: 1, deliveries: [one] },
  ])
})

test('has no entry for a dry run, or for a request that fails or changes nothing', async () => {
  const admin = await openAdmin()
  const [id] = await storeDead(admin, 1)
  expect((await admin.post('/api/v1/deliveries/retry', { ids: [id], dryRun: true })).json.count).toBe(1)
  expect((await admin.post('/api/v1/deliveries/99/retry')).status).toBe(404)
  expect((await admin.post('/api/v1/deliveries/retry', { ids: [id], states: ['done'] })).json.count).toBe(0)
  const reader = { headers: { authorization: `Bearer ${readOnlyToken}` }, method: 'POST' }
  expect((await admin.ask(`/api/v1/deliveries/${id}/retry`, reader)).status).toBe(403)
  expect((await admin.post('/api/v1/recovery/sweeps')).status).toBe(409)
  expect((await logIn(admin, {}, 'a wrong token of a visitor')).status).toBe(401)
  await admin.ask('/api/v1/session', { method: 'DELETE' }) // no session
  expect(await entriesOf(admin)).toEqual([])
})

test('lists logins and logouts, and tells the read-only token', async () => {
  const admin = await openAdmin()
  await logIn(admin)
  const cookie = await withCookie(admin, readOnlyToken)
  const headers = { ...fromPage(admin.host, `http://${admin.host}`), cookie }
  expect((await admin.ask('/api/v1/session', { method: 'DELETE', headers })).status).toBe(204)
  const entries = (await entriesOf(admin)) as { action: string; access: string }[]
  expect(entries.map(({ action, access }) => `${action}: ${access}`)).toEqual([
    'logout: read-only token',
    'login: read-only token',
    'login: token',
  ])
  expect(JSON.stringify(entries)).not.toContain(token)
})

test('has one entry for concurrent logouts of one session, and for the logins of an hour', async () => {
  const admin = await openAdmin()
  const cookie = await withCookie(admin, readOnlyToken)
  await withCookie(admin, readOnlyToken)
  const headers = { ...fromPage(admin.host, `http://${admin.host}`), cookie }
  const logOut = () => admin.ask('/api/v1/session', { method: 'DELETE', headers })
  const answers = await Promise.all([logOut(), logOut(), logOut()])
  expect(answers.map(({ status }) => status)).toContain(204)
  const entries = (await entriesOf(admin)) as { action: string; count: number }[]
  expect(entries.map(({ action, count }) => [action, count])).toEqual([
    ['logout', 1],
    ['login', 2],
  ])
})

test('an action that took effect succeeds, and is logged, if the entry cannot be written', async () => {
  const inbox = withMembers(openInbox(), { recordAction: () => Promise.reject(new Error('The disk is full')) })
  const admin = await openAdmin({ inbox })
  await updateSchedules(inbox, (all) => {
    all.set('nightly', { time: '0 3 * * *', missed: 'skip', next: 2, handledUntil: 1 } as never)
  })
  const cookie = await withCookie(admin)
  const headers = { ...fromPage(admin.host, `http://${admin.host}`), cookie }
  const sent = await admin.post('/api/v1/deliveries', { event: 'push', payload: {} })
  const run = await admin.post('/api/v1/schedules/nightly/run')
  const loggedOut = await admin.ask('/api/v1/session', { method: 'DELETE', headers })
  expect([sent.status, run.status, loggedOut.status]).toEqual([201, 201, 204])
  expect((await inbox.list({})).deliveries.map(({ id }) => id)).toEqual([run.json.id, sent.json.id])
  const missing = admin.recorder.lines.filter(({ message }) => message.startsWith('The audit log lacks an entry'))
  expect(missing.map(({ fields }) => fields)).toMatchObject([
    { action: 'login', access: 'token' },
    { action: 'send', target: { event: 'push' }, deliveries: [sent.json.id] },
    { action: 'run schedule', target: { schedule: 'nightly' }, deliveries: [run.json.id] },
    { action: 'logout' },
  ])
  expect((await admin.post(`/api/v1/deliveries/${sent.json.id}/signature`)).status).toBe(503)
})

test('selects entries by action, access and person, page by page', async () => {
  const admin = await openAdmin()
  for (const handler of ['a', 'b', 'c']) await admin.inbox.pause(handler) // so that all handlers are known
  for (const handler of ['a', 'b', 'c']) await admin.post(`/api/v1/handlers/${handler}/resume`)
  const first = await admin.get('/api/v1/audit?limit=2')
  const second = await admin.get(`/api/v1/audit?limit=2&cursor=${first.json.next}`)
  const handlersIn = (entries: { target: { handler: string } }[]) => entries.map(({ target }) => target.handler)
  const handlers = [first, second].map(({ json }) => handlersIn(json.entries))
  expect([handlers, second.json.next]).toEqual([[['c', 'b'], ['a']], undefined])
  expect(await entriesOf(admin, '?action=resume&access=token')).toHaveLength(3)
  expect(await entriesOf(admin, '?action=pause')).toHaveLength(0)
  expect(await entriesOf(admin, '?person=octocat')).toHaveLength(0)
  expect((await admin.get('/api/v1/audit?action=drop')).json.errors).toEqual([
    { name: 'action', expected: expect.stringContaining('one of retry, discard') },
  ])
})

test('joins the requests of one operation, but not those of another action', async () => {
  const admin = await openAdmin()
  const ids = await storeDead(admin, 3)
  const operationId = 'a-retry-in-chunks'
  for (const id of ids) await admin.post('/api/v1/deliveries/retry', { ids: [id], operationId })
  await admin.post('/api/v1/deliveries/discard', { ids, operationId })
  const entries = (await entriesOf(admin)) as { action: string; count: number; deliveries: number[] }[]
  expect(entries.map(({ action, count, deliveries }) => [action, count, deliveries])).toEqual([
    ['discard', 3, ids],
    ['retry', 3, ids],
  ])
})

test('names the search with which a client selected the ids', async () => {
  const admin = await openAdmin()
  const ids = await storeDead(admin, 2)
  const selection = { ids, states: ['dead'], search: 'state:dead since:today' }
  expect((await admin.post('/api/v1/deliveries/retry', selection)).json).toEqual({ count: 2 })
  await admin.post('/api/v1/deliveries/discard', { ids, search: '' })
  const entries = (await entriesOf(admin)) as { target: object }[]
  expect(entries.map(({ target }) => target)).toEqual([{ search: '' }, { search: 'state:dead since:today' }])
})

test('lists the webhooks whose deliveries a sweep fetched, and the deliveries of a schedule', async () => {
  const counts = { missed: 0, requested: 20, received: 10, expired: 0, unrecorded: 0 }
  const reports = [
    { target: 'acme/shop', hookId: '7', sent: 3, unhandled: 0, counts, fetched: 2, calls: 2 },
    { target: 'octo', hookId: '8', sent: 1, unhandled: 0, counts, fetched: 1, calls: 2, error: 'one failed' },
    { target: 'acme', sent: 0, unhandled: 0, counts, fetched: 0, calls: 0, error: 'no' },
  ]
  const swept = { reports, missedDeliveries: [] }
  const recovery = { sweep: async () => swept } as unknown as Recovery
  const admin = await openAdmin({ recovery, hooks: new Hooks({ secret: 's' }) })
  await updateSchedules(admin.inbox, (all) => {
    all.set('nightly', { time: '0 3 * * *', missed: 'skip', next: 2, handledUntil: 1 } as never)
  })
  await admin.post('/api/v1/recovery/sweeps')
  await admin.post('/api/v1/recovery/sweeps', { dryRun: true })
  swept.reports = reports.slice(2) // from now on, all sweeps fail
  await admin.post('/api/v1/recovery/sweeps')
  const { json } = await admin.post('/api/v1/schedules/nightly/run')
  expect(await entriesOf(admin)).toMatchObject([
    { action: 'run schedule', target: { schedule: 'nightly' }, deliveries: [json.id] },
    { action: 'recover', target: { webhooks: ['acme/shop#7', 'octo#8'] }, count: 3 },
  ])
})

test('has the entry of a delivery that was created although the server could not look it up afterwards', async () => {
  const admin = await openAdmin()
  const { list } = admin.inbox
  admin.inbox.list = () => Promise.reject(new Error('The connection was lost'))
  expect((await admin.post('/api/v1/deliveries', { event: 'push', payload: {} })).status).toBe(503)
  admin.inbox.list = list
  expect((await admin.get('/api/v1/deliveries')).json.deliveries).toMatchObject([{ event: 'push' }])
  expect(await entriesOf(admin)).toMatchObject([
    { action: 'send', target: { event: 'push' }, count: 1, deliveries: [] },
  ])
})
