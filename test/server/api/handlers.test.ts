import { describe, expect, test } from 'vitest'
import { Hooks } from '../../../src/hooks.ts'
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

const pausedOf = ({ json }: { json: { handlers: { name: string; paused: boolean }[] } }) =>
  json.handlers.filter(({ paused }) => paused).map(({ name }) => name)

describe('the handlers', () => {
  test('are shown with their options, and without their code', async () => {
    const { status, json } = await (await withHandlers()).get('/api/v1/handlers')
    expect(status).toBe(200)
    expect(json.handlers).toEqual([
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
    expect(json.handlers.slice(3)).toEqual([
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

  test('may be empty', async () => {
    expect((await (await openAdmin()).get('/api/v1/handlers')).json).toEqual({ handlers: [] })
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
