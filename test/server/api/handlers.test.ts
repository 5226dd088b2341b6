import { describe, expect, test } from 'vitest'
import { Hooks } from '../../../src/hooks.ts'
import type { Count, Measure } from '../../../src/inbox/counts.ts'
import { hour, minute } from '../../../src/runtime/units.ts'
import { recordMatches } from '../../../src/testing/inbox-contract/matching.ts'
import { storeIn } from '../../inbox/stores.ts'
import { type Admin, openAdmin } from '../administered.ts'

async function withHandlers(): Promise<Admin> {
  const hooks = new Hooks({ secret: 's' })
  hooks.hook('issues.opened', () => 'hello')
  hooks.on(['push', 'create'], { name: 'deploy', attempts: 3, order: 'repository' }, () => undefined)
  hooks.on('*', { name: 'log', order: () => 'x' }, () => undefined)
  return openAdmin({ hooks })
}

const withoutStatistics = (handlers: readonly { statistics: object }[]) =>
  handlers.map(({ statistics: _, ...handler }) => handler)

const pausedOf = ({ json }: { json: { handlers: { name: string; paused: boolean }[] } }) =>
  json.handlers.filter(({ paused }) => paused).map(({ name }) => name)

describe('the handlers', () => {
  test('are shown with their options, and without their code', async () => {
    const { status, json } = await (await withHandlers()).get('/api/v1/handlers')
    expect(status).toBe(200)
    expect(withoutStatistics(json.handlers)).toEqual([
      { name: 'hook:issues.opened', events: ['issues.opened'], replies: true, options: {}, paused: false },
      {
        ...{ name: 'deploy', events: ['push', 'create'], replies: false, paused: false },
        options: { name: 'deploy', attempts: 3, order: 'repository' },
      },
      { name: 'log', events: ['*'], replies: false, options: { name: 'log', order: 'function' }, paused: false },
    ])
  })

  test('of other processes are listed by name, and can be paused', async () => {
    const admin = await withHandlers()
    await admin.inbox.registerWorker(['deploy', 'mail', '<script>'].map((name) => ({ name, backoff: 1000 })))
    await admin.post('/api/v1/handlers/mail/pause')
    const { json } = await admin.get('/api/v1/handlers')
    expect(withoutStatistics(json.handlers).slice(3)).toEqual([
      { name: '<script>', elsewhere: true, paused: false },
      { name: 'mail', elsewhere: true, paused: true },
    ])
    expect(json.handlers.slice(0, 3).some((one: object) => 'elsewhere' in one)).toBe(false)
  })

  test('show their latest failure, with the first line of the error', async () => {
    const admin = await withHandlers()
    const id = await storeIn(admin.inbox, {})
    const worker = await admin.inbox.registerWorker([{ name: 'deploy', backoff: 1000 }])
    const [claimed] = await recordMatches(
      admin.inbox,
      worker,
      [{ id, summary: {}, tasks: [{ handler: 'deploy', claim: true }] }],
      1,
    )
    const { attempt = 1 } = claimed ?? {}
    const ended = { id, handler: 'deploy', attempt, startedAt: 1000, duration: 7 }
    await admin.inbox.finish(worker, [{ ...ended, outcome: 'dead', error: 'Error: no\n    at deploy' }])
    const { json } = await admin.get('/api/v1/handlers')
    expect(json.handlers.map(({ lastFailure }: { lastFailure?: object }) => lastFailure)).toEqual([
      undefined,
      { id, at: 1007, error: 'Error: no' },
      undefined,
    ])
  })

  test('that are paused are listed although no process has them', async () => {
    const admin = await openAdmin()
    await admin.inbox.pause('gone')
    const { json } = await admin.get('/api/v1/handlers')
    expect(withoutStatistics(json.handlers)).toEqual([{ name: 'gone', paused: true }])
  })

  test('may be empty', async () => {
    expect((await (await openAdmin()).get('/api/v1/handlers')).json).toEqual({ handlers: [] })
  })
})

describe('the statistics of a handler', () => {
  const now = Date.now()
  const count = (measure: Measure, outcome: string, count: number, { name = 'deploy', ago = 0 } = {}): Count => {
    return { at: now - ago, measure, name, outcome, count }
  }

  test('are zero, without latencies, before its first attempt', async () => {
    const { json } = await (await withHandlers()).get('/api/v1/handlers')
    expect(json.handlers[1].statistics).toEqual({
      ...{ attempts: 0, succeeded: 0, failed: 0, dead: 0, waiting: 0, running: 0 },
      ...{ durations: null, completions: null },
    })
  })

  test('are those of the window', async () => {
    const admin = await withHandlers()
    await admin.inbox.addCounts([
      ...[count('attempts', 'succeeded', 90), count('attempts', 'failed', 9), count('attempts', 'dead', 1)],
      ...[count('durations', '10', 94), count('durations', '121', 4), count('durations', '4640', 2)],
      ...[count('completions', '1000', 90), count('durations', '1', 70, { name: 'log' })],
      ...[count('attempts', 'succeeded', 5, { ago: 3 * hour }), count('attempts', 'cut off', 2, { ago: 3 * hour })],
    ])
    const statisticsIn = async (query: string) =>
      (await admin.get(`/api/v1/handlers${query}`)).json.handlers[1].statistics
    expect(await statisticsIn('')).toMatchObject({
      ...{ attempts: 100, succeeded: 90, failed: 9, dead: 1 },
      durations: { p50: 10, p95: 121, p99: 4640 },
      completions: { p50: 1000, p95: 1000, p99: 1000 },
    })
    expect(await statisticsIn('?window=24h')).toMatchObject({ attempts: 107, succeeded: 95, failed: 11 })
    expect((await admin.get('/api/v1/handlers?window=1y')).json.errors).toEqual([
      { name: 'window', expected: 'one of 1h, 24h, 7d' },
    ])
  })

  test('include the tasks that wait and run now', async () => {
    const admin = await withHandlers()
    const [first, second] = [await storeIn(admin.inbox, {}), await storeIn(admin.inbox, {})]
    const worker = await admin.inbox.registerWorker([{ name: 'deploy', backoff: 1000 }])
    const matches = [first, second].map((id) => {
      return { id, summary: {}, tasks: [{ handler: 'deploy', claim: id === first }] }
    })
    await recordMatches(admin.inbox, worker, matches, now)
    const { statistics } = (await admin.get('/api/v1/handlers')).json.handlers[1]
    const { receivedAt } = (await admin.get(`/api/v1/deliveries/${second}`)).json
    expect(statistics).toMatchObject({ running: 1, waiting: 1, waitingSince: receivedAt })
  })

  test('over time have a value per step, and the mean of all samples', async () => {
    const admin = await withHandlers()
    const ago = 30 * minute
    await admin.inbox.addCounts([
      ...[count('attempts', 'succeeded', 3), count('attempts', 'failed', 2), count('attempts', 'dead', 1)],
      ...[count('durations', '10', 2), count('durations', '100', 1), count('completions', '500', 3, { ago })],
      ...[count('loads', '', 4, { name: '' }), count('loads', '', 2, { name: '', ago })],
      ...[count('loads', 'waiting', 6), count('loads', 'age', 10_000), count('attempts', 'cut off', 4)],
      count('attempts', 'succeeded', 9, { ago: -2 * hour }), // by a clock that is ahead
    ])
    const { status, json } = await admin.get('/api/v1/handlers/deploy')
    expect([status, json.name, json.statistics.attempts]).toEqual([200, 'deploy', 10])
    const { since, step, succeeded, failed, durations, completions, waiting, ages } = json.series
    expect(step).toBe(5 * minute)
    const [last, before] = [11, Math.floor((now - ago - since) / step)]
    for (const list of [succeeded, failed, durations, completions, waiting, ages]) expect(list).toHaveLength(12)
    expect([succeeded[last], failed[last], succeeded[before]]).toEqual([3, 7, 0])
    expect([durations[last], durations[before]]).toEqual([{ p50: 10, p95: 100, p99: 100 }, null])
    expect(completions[before]).toEqual({ p50: 500, p95: 500, p99: 500 })
    expect([waiting[last], ages[last]]).toEqual([1.5, 2500])
    expect([waiting[before], ages[before]]).toEqual([0, 0])
    expect(waiting.filter((mean: number | null) => mean !== null)).toHaveLength(2)
    for (const [window, steps] of Object.entries({ '24h': 24, '7d': 168 })) {
      const { series } = (await admin.get(`/api/v1/handlers/deploy?window=${window}`)).json
      expect([series.failed.length, series.failed.at(-1)], window).toEqual([steps, 7])
    }
  })

  test('are not found for an unknown handler', async () => {
    const { status, json } = await (await withHandlers()).get('/api/v1/handlers/unknown')
    expect([status, json.code]).toEqual([404, 'not_found'])
    expect(json.detail).toBe('There is no handler unknown: the handlers are hook:issues.opened, deploy, log')
  })

  test('are found for a name with special characters', async () => {
    const admin = await openAdmin()
    const name = 'a/b?c %é'
    await admin.inbox.registerWorker([{ name, backoff: 1000 }])
    expect((await admin.get(`/api/v1/handlers/${encodeURIComponent(name)}`)).json).toMatchObject({
      name,
      elsewhere: true,
    })
  })
})

describe('a pause', () => {
  test('applies to one handler until it is resumed', async () => {
    const admin = await withHandlers()
    expect((await admin.post('/api/v1/handlers/deploy/pause')).json).toEqual({ paused: ['deploy'] })
    expect(pausedOf(await admin.get('/api/v1/handlers'))).toEqual(['deploy'])
    expect((await admin.get('/api/v1/stats')).json.paused).toEqual(['deploy'])
    expect((await admin.post('/api/v1/handlers/deploy/resume')).json).toEqual({ paused: [] })
    expect(pausedOf(await admin.get('/api/v1/handlers'))).toEqual([])
  })

  test('of all handlers keeps the pause of one handler', async () => {
    const admin = await withHandlers()
    await admin.post('/api/v1/handlers/deploy/pause')
    const { json } = await admin.post('/api/v1/handlers/pause', { all: true })
    expect(json.paused.toSorted()).toEqual(['*', 'deploy'])
    expect(pausedOf(await admin.get('/api/v1/handlers'))).toHaveLength(3)
    expect((await admin.post('/api/v1/handlers/resume', { all: true })).json).toEqual({ paused: ['deploy'] })
  })

  test('applies to a handler whose name has special characters', async () => {
    const admin = await withHandlers()
    const name = 'a/b?c %é'
    await admin.inbox.registerWorker([{ name, backoff: 1000 }])
    const path = `/api/v1/handlers/${encodeURIComponent(name)}`
    expect((await admin.post(`${path}/pause`)).json).toEqual({ paused: [name] })
    expect((await admin.post(`${path}/resume`)).json).toEqual({ paused: [] })
  })

  test('is rejected for an unknown handler', async () => {
    const admin = await withHandlers()
    for (const act of ['pause', 'resume']) {
      for (const name of ['unknown', '*']) {
        const { status, json } = await admin.post(`/api/v1/handlers/${name}/${act}`)
        expect([status, json.code]).toEqual([404, 'not_found'])
        expect(json.detail).toContain('hook:issues.opened, deploy, log')
      }
    }
    expect((await admin.inbox.overview()).paused).toEqual([])
    expect(admin.recorder.lines).toEqual([])
  })

  test('applies to a handler of another process', async () => {
    const admin = await openAdmin()
    await admin.inbox.registerWorker([{ name: 'deploy', backoff: 5000 }])
    expect((await admin.post('/api/v1/handlers/deploy/pause')).json).toEqual({ paused: ['deploy'] })
    expect((await admin.post('/api/v1/handlers/unknown/pause')).json.detail).toContain('the handlers are deploy')
  })

  test('can be undone for a handler that is no longer registered', async () => {
    const admin = await withHandlers()
    await admin.inbox.pause('gone')
    expect((await admin.post('/api/v1/handlers/gone/resume')).json).toEqual({ paused: [] })
  })

  test.each([undefined, {}, { all: false }, { all: 'yes' }])(
    'of all handlers is rejected with the body %j, because a proxy may merge the slashes around an empty name',
    async (body) => {
      const admin = await withHandlers()
      const { status, json } = await admin.post('/api/v1/handlers/pause', body)
      expect([status, json.errors[0].name]).toEqual([400, 'all'])
      expect((await admin.post('/api/v1/handlers//pause')).status).toBe(404)
      expect((await admin.inbox.overview()).paused).toEqual([])
    },
  )

  test('is logged with the operator', async () => {
    const admin = await withHandlers()
    await admin.post('/api/v1/handlers/deploy/pause')
    await admin.post('/api/v1/handlers/resume', { all: true })
    const who = { access: 'token', address: '127.0.0.1' }
    expect(admin.recorder.lines).toEqual([
      expect.objectContaining({
        level: 'info',
        fields: { act: 'pause', what: { handler: 'deploy' }, count: 1, ...who },
      }),
      expect.objectContaining({ level: 'info', fields: { act: 'resume', what: { handler: '*' }, count: 1, ...who } }),
    ])
  })
})
