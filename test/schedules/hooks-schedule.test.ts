import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { BasicStore } from '../../src/inbox/inbox.ts'
import { type Delivery, Hooks, type HooksOptions, type ScheduleTime } from '../../src/index.ts'
import { storeScheduled } from '../../src/schedules/scheduled-delivery.ts'
import { readSchedules } from '../../src/schedules/stored-schedules.ts'
import { inject, signedRequest } from '../../src/testing/index.ts'
import { addApp, secret, startGitHub } from '../github/bot-scene.ts'
import { eventually, openInbox, storeIn, withOnly } from '../inbox/stores.ts'
import { Recorder } from '../recorder.ts'
import { scheduledIn, schedulesOf } from './scene.ts'

function hooksWith(options: HooksOptions = {}): Hooks {
  const hooks = new Hooks({ secret, logger: false, ...options })
  onTestFinished(() => hooks.close({ grace: 0 }))
  return hooks
}

const nothing = () => {}
const time = Date.parse('2026-06-01T03:00Z')

describe('hooks.schedule()', () => {
  test('calls the handler, as an attempt of a handler with the name of the schedule', async () => {
    const inbox = openInbox()
    const hooks = hooksWith({ inbox })
    const deliveries: Delivery[] = []
    hooks.schedule('often', { every: '1s' }, { attempts: 1 }, (delivery) => {
      deliveries.push(delivery)
      return 'done'
    })
    hooks.work()
    await eventually(() => expect(deliveries).not.toEqual([]))
    const [{ guid, event, action, source, payload } = {} as Delivery] = deliveries
    expect([event, action, source]).toEqual(['schedule', 'often', 'schedule'])
    expect(payload).toEqual({ action: 'often', time: guid.slice('schedule:often:'.length) })
    await eventually(async () => expect((await scheduledIn(inbox))[0]).toMatchObject({ state: 'done' }))
    const [first] = await scheduledIn(inbox)
    expect(first?.tasks).toMatchObject([{ handler: 'often', attempts: [{ number: 1, outcome: 'succeeded' }] }])
  })

  test('returns the handler, and off() ends the schedule', () => {
    const hooks = hooksWith({ inbox: openInbox() })
    expect(hooks.schedule('nightly', '0 3 * * *', nothing)).toBe(nothing)
    expect(schedulesOf(hooks).map(({ name }) => name)).toEqual(['nightly'])
    hooks.schedule('stale', '0 3 * * *', { each: 'repository' }, nothing)
    expect(hooks.registrations.map(({ name }) => name)).toEqual(['nightly', 'stale', 'stale:each'])
    expect(hooks.off('schedule.nightly', nothing)).toBe(true)
    expect(hooks.off('schedule.stale', nothing)).toBe(true)
    expect(hooks.registrations).toEqual([])
  })

  test.each<[unknown, unknown, object, string]>([
    ['', '* * * * *', {}, 'hooks.schedule(): "name" must be'],
    ['a b', '* * * * *', {}, 'hooks.schedule(): "name" must be'],
    ['a', '0 25 * * *', {}, `hooks.schedule('a'): the hour of a cron text must be "*", or values from 0 to 23`],
    ['a', '0 3 * *', {}, "hooks.schedule('a'): a cron text has five fields"],
    ['a', { every: '10' }, {}, `hooks.schedule('a'): "every" must be a whole number of milliseconds`],
    ['a', 7, {}, "hooks.schedule('a'): the time must be a cron text such as '0 3 * * *', or { every: '10m' }, got 7"],
    ['a', { every: '500ms' }, {}, `hooks.schedule('a'): "every" must be a whole number of milliseconds, 1000 to`],
    ['a', { every: 3600 }, {}, `"every" is in milliseconds, and 3600 is probably a mistake: write '3600s'`],
    ['a', undefined, {}, "hooks.schedule('a'): the time must be"],
    ['a', '* * * * *', { timezone: 'Europe/Nowhere' }, 'option "timezone" must be the name of a time zone, such as'],
    ['a', '* * * * *', { timezone: 'Europe/Nowhere' }, 'got "Europe/Nowhere"'],
    ['a', { every: '1h' }, { timezone: 'UTC' }, 'the option "timezone" needs a cron text'],
    ['a', '* * * * *', { each: 'organization' }, 'option "each" must be one of "installation", "repository"'],
    ['a', '* * * * *', { missed: 'all' }, 'option "missed" must be one of "latest", "skip"'],
    ['a', '* * * * *', { source: '/hooks' }, 'a schedule does not have the option "source"'],
    ['a', '* * * * *', { tries: 1 }, 'Unknown option "tries" of a handler'],
  ])('rejects the name %j at %j with %j', (name, at, options, message) => {
    const register = () => hooksWith().schedule(name as string, at as ScheduleTime, options, nothing)
    expect(register).toThrow(TypeError)
    expect(register).toThrow(message)
  })

  test('rejects a name that is taken', () => {
    const hooks = hooksWith({ inbox: openInbox() })
    hooks.on('push', { name: 'deploy' }, nothing)
    const message = (name: string) => `hooks.schedule('${name}'): another handler or schedule has the name "${name}"`
    expect(() => hooks.schedule('deploy', '* * * * *', nothing)).toThrow(message('deploy'))
    hooks.schedule('nightly', '0 3 * * *', nothing)
    expect(() => hooks.schedule('nightly', '* * * * *', nothing)).toThrow(message('nightly'))
    expect(() => hooks.on('push', { name: 'nightly' }, nothing)).toThrow('Two handlers have the name "nightly"')
  })

  test('needs an inbox', async () => {
    const message = 'hooks.schedule() needs the option "inbox", such as sqlite(\'hookserver.db\')'
    const hooks = hooksWith()
    hooks.schedule('nightly', '0 3 * * *', nothing)
    expect(() => hooks.mount()).toThrow(message)
    expect((await inject(hooks, signedRequest('ping', { secret }))).status).toBe(200) // a test needs no inbox
    const mounted = hooksWith()
    mounted.mount()
    expect(() => mounted.schedule('nightly', '0 3 * * *', nothing)).toThrow(message)
  })

  test.each<[string, (inbox: BasicStore) => HooksOptions, string]>([
    ['leases', (inbox) => ({ inbox: withOnly(inbox, 'DeliveryStore', 'TaskQueue', 'KeyValues') }), 'NamedLeases'],
    ['the source of schedules', (inbox) => ({ inbox, sources: ['/hooks'] }), `add 'schedule' to it`],
  ])('rejects an inbox without %s', (_title, options, message) => {
    const hooks = hooksWith(options(openInbox()))
    hooks.schedule('nightly', '0 3 * * *', nothing)
    expect(() => hooks.work()).toThrow(message)
    const late = hooksWith(options(openInbox()))
    late.work()
    expect(() => late.schedule('nightly', '0 3 * * *', nothing)).toThrow(message)
  })

  test('makes no deliveries in a process that does not work', async () => {
    const inbox = openInbox()
    const hooks = hooksWith({ inbox, work: false })
    hooks.schedule('often', { every: '1s' }, nothing)
    hooks.mount()
    await hooks.drain()
    expect((await readSchedules(inbox)).size).toBe(0)
  })

  test('starts a schedule that is added while the process works', async () => {
    const inbox = openInbox()
    const hooks = hooksWith({ inbox })
    hooks.work()
    hooks.schedule('nightly', '0 3 * * *', { timezone: 'Europe/Berlin' }, nothing)
    await eventually(async () => {
      const stored = (await readSchedules(inbox)).get('nightly')
      expect(stored).toMatchObject({ time: '0 3 * * *', timezone: 'Europe/Berlin', missed: 'latest' })
    })
  })

  test('does not run for a delivery of a sender', async () => {
    const inbox = openInbox()
    const hooks = hooksWith({ inbox })
    const handler = vi.fn()
    hooks.schedule('nightly', '0 3 * * *', handler)
    const seen = vi.fn()
    hooks.on('schedule', seen)
    hooks.work()
    await storeIn(inbox, { action: 'nightly', time: '' }, { event: 'schedule' })
    await eventually(() => expect(seen).toHaveBeenCalledOnce())
    expect(handler).not.toHaveBeenCalled()
  })
})

describe('each', () => {
  async function startEach(each: 'installation' | 'repository') {
    const github = await startGitHub()
    const app = addApp(github)
    const [inbox, logger] = [openInbox(), new Recorder()]
    const hooks = hooksWith({ inbox, app, apiUrl: github.url, logger })
    const seen: { guid: string; repository: string | undefined; installationId: string; id: number; login?: string }[] =
      []
    hooks.use((delivery, next) => (delivery.installationId === undefined ? undefined : next()))
    hooks.schedule('stale', '0 3 * * *', { each }, async ({ payload, octokit, repository, guid }) => {
      const { installationId } = (await (await octokit()).auth()) as { installationId: string }
      const { installation } = payload
      const { id, account } = installation
      seen.push({ guid, repository, installationId, id, login: account?.login ?? '' })
    })
    hooks.work()
    await storeScheduled(inbox, { name: 'stale', time, forEach: true })
    await eventually(() => expect(seen).toHaveLength(2))
    seen.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))
    return { seen, hooks, inbox, github }
  }

  const guid = 'schedule:stale:2026-06-01T03:00:00.000Z'

  test('installation makes a delivery for each installation, and authenticates as it', async () => {
    const { seen } = await startEach('installation')
    expect(seen).toEqual([
      { guid: `${guid}:5`, repository: undefined, installationId: '5', id: 5, login: 'Codertocat' },
      { guid: `${guid}:6`, repository: undefined, installationId: '6', id: 6, login: 'octo' },
    ])
  })

  test('repository makes a delivery for each repository', async () => {
    const { seen, inbox } = await startEach('repository')
    expect(seen).toMatchObject([
      { repository: 'Codertocat/Hello-World', installationId: '5' },
      { repository: 'octo/other', installationId: '6' },
    ])
    const deliveries = await scheduledIn(inbox)
    expect(deliveries.map(({ action }) => action).toSorted()).toEqual([
      ...['stale', 'stale', 'stale:each', 'stale:each', 'stale:each'],
    ])
    const made = deliveries.find(({ guid, action }) => action === 'stale' && guid === seen[0]?.guid)
    const payload = JSON.parse(new TextDecoder().decode(await inbox.body(made?.id ?? 0)))
    expect(payload).toEqual({
      ...{ action: 'stale', time: '2026-06-01T03:00:00.000Z' },
      installation: { id: 5, account: { login: 'Codertocat' } },
      repository: {
        ...{ id: expect.any(Number), name: 'Hello-World', full_name: 'Codertocat/Hello-World' },
        ...{ owner: { login: 'Codertocat' }, private: expect.any(Boolean), default_branch: 'main' },
      },
    })
  })

  test('repository makes those of the other installations if GitHub rejects requests of one', async () => {
    const github = await startGitHub()
    const rejected = { status: 403, body: { message: 'The IP allow list of the organization does not permit access' } }
    github.failAt(/POST .*\/installations\/5\/access_tokens/, ...Array.from({ length: 20 }, () => rejected))
    const inbox = openInbox()
    const hooks = hooksWith({ inbox, app: addApp(github), apiUrl: github.url })
    const seen: unknown[] = []
    hooks.schedule('stale', '0 3 * * *', { each: 'repository' }, ({ repository }) => void seen.push(repository))
    hooks.work()
    await storeScheduled(inbox, { name: 'stale', time, forEach: true })
    await eventually(async () => {
      expect(seen).toEqual(['octo/other'])
      const failed = (await scheduledIn(inbox)).find(({ guid: one }) => one === `${guid}:installation:5`)
      expect(failed?.tasks).toMatchObject([{ handler: 'stale:each', state: 'retrying' }])
    })
  })

  test('fails as an attempt of its own handler without an App', async () => {
    const inbox = openInbox()
    const hooks = hooksWith({ inbox })
    hooks.schedule('stale', '0 3 * * *', { each: 'installation' }, nothing)
    hooks.work()
    const { result } = await storeScheduled(inbox, { name: 'stale', time, forEach: true })
    await eventually(async () => {
      const [task] = (await inbox.get(result.id))?.tasks ?? []
      expect(task).toMatchObject({ handler: 'stale:each', state: 'retrying' })
      expect(task?.attempts[0]?.error).toContain('No App is configured')
    })
  })
})
