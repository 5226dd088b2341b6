import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Hooks } from '../../src/hooks.ts'
import type { Store } from '../../src/inbox/inbox.ts'
import { type ProcessInfo, ProcessRegistry } from '../../src/inbox/processes.ts'
import { isStuck } from '../../src/inbox/worker-heartbeats.ts'
import { version } from '../../src/runtime/platform.ts'
import { pass, stopTheClock, turnOfTheLoop } from '../receiver/fixtures.ts'
import { eventually, inboxFile, openInbox, withMembers } from './stores.ts'

function createRegistry(answer: () => Promise<void> = async () => {}) {
  const heartbeat = vi.fn((_info: ProcessInfo) => answer())
  const unregister = vi.fn((_id: string) => answer())
  return { registry: new ProcessRegistry({ heartbeat, unregister }), heartbeat, unregister }
}

const rolesIn = ({ mock }: ReturnType<typeof createRegistry>['heartbeat']) => mock.calls.map(([{ role }]) => role)

describe('the registry of a process', () => {
  stopTheClock('setTimeout', 'clearTimeout', 'Date')

  async function passed(ms: number): Promise<void> {
    pass(ms)
    await turnOfTheLoop()
  }

  test('renews the registration every ten seconds, until it ends', async () => {
    const { registry, heartbeat, unregister } = createRegistry()
    const startedAt = Date.now()
    registry.add('receiver')
    await passed(0)
    expect(heartbeat).toHaveBeenCalledExactlyOnceWith({ id: expect.any(String), role: 'receiver', version, startedAt })
    await passed(9999)
    expect(heartbeat).toHaveBeenCalledTimes(1)
    await passed(1)
    expect(heartbeat).toHaveBeenCalledTimes(2)
    expect(heartbeat.mock.calls[1]).toEqual(heartbeat.mock.calls[0])
    await registry.unregister()
    expect(unregister).toHaveBeenCalledExactlyOnceWith(heartbeat.mock.calls[0]?.[0].id)
    await passed(60_000)
    registry.add('worker')
    await passed(60_000)
    expect(heartbeat).toHaveBeenCalledTimes(2)
  })

  test('reports an added role at once, and roles of one turn together', async () => {
    const { registry, heartbeat } = createRegistry()
    registry.add('worker')
    registry.add('receiver')
    registry.add('receiver')
    await passed(0)
    expect(rolesIn(heartbeat)).toEqual(['all'])
    const later = createRegistry()
    later.registry.add('receiver')
    await passed(0)
    later.registry.add('worker')
    await passed(0)
    expect(rolesIn(later.heartbeat)).toEqual(['receiver', 'all'])
  })

  test('sends one heartbeat at a time if the inbox is slow', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { registry, heartbeat, unregister } = createRegistry(() => promise)
    registry.add('receiver')
    await passed(0)
    registry.add('worker')
    await passed(60_000)
    expect(rolesIn(heartbeat)).toEqual(['receiver'])
    resolve()
    await turnOfTheLoop()
    await passed(0)
    expect(rolesIn(heartbeat)).toEqual(['receiver', 'all'])
    expect(unregister).not.toHaveBeenCalled()
  })

  test('unregisters after a heartbeat that is under way', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { registry, unregister } = createRegistry(() => promise)
    registry.add('receiver')
    await passed(0)
    const ended = registry.unregister()
    await turnOfTheLoop()
    expect(unregister).not.toHaveBeenCalled()
    resolve()
    await ended
    expect(unregister).toHaveBeenCalledTimes(1)
  })

  test('ignores errors of the inbox, and tries again', async () => {
    const { registry, heartbeat } = createRegistry(() => Promise.reject(new Error('The disk is full')))
    registry.add('receiver')
    await passed(0)
    await passed(10_000)
    expect(heartbeat).toHaveBeenCalledTimes(2)
    await registry.unregister()
    const without = new ProcessRegistry({} as Store)
    without.add('worker')
    await passed(0)
    await without.unregister()
  })

  test('does not register a process without a role', async () => {
    const { registry, heartbeat, unregister } = createRegistry()
    await passed(60_000)
    await registry.unregister()
    expect([heartbeat, unregister].map(({ mock }) => mock.calls.length)).toEqual([0, 0])
  })
})

describe('a process with Hooks', () => {
  const mounts: [string, work: boolean, (hooks: Hooks) => void, ProcessInfo['role']][] = [
    ['receives and handles', true, (hooks) => void hooks.mount(), 'all'],
    ['receives', false, (hooks) => void hooks.mount(), 'receiver'],
    ['handles', false, (hooks) => hooks.work(), 'worker'],
    [
      'receives, and later handles too',
      false,
      (hooks) => {
        hooks.mount()
        hooks.work()
      },
      'all',
    ],
    [
      'handles, and receives only deliveries of operators',
      false,
      (hooks) => {
        hooks.mount({}, { receives: false })
        hooks.work()
      },
      'worker',
    ],
  ]

  test.for(mounts)('that %s is registered until they are closed', async ([, work, begin, role]) => {
    const path = inboxFile()
    const [inbox, other] = [openInbox(path), openInbox(path)]
    const hooks = new Hooks({ secret: 's', validateIp: false, logger: false, inbox, work })
    onTestFinished(() => hooks.close())
    begin(hooks)
    await eventually(async () => expect(await other.processes()).toMatchObject([{ role, version, pid: process.pid }]))
    await hooks.close()
    expect(await other.processes()).toEqual([])
  })

  test('that are not mounted is not registered', async () => {
    const heartbeat = vi.fn(async () => {})
    const hooks = new Hooks({ secret: 's', inbox: withMembers(openInbox(), { heartbeat }) })
    await turnOfTheLoop()
    await hooks.close()
    expect(heartbeat).not.toHaveBeenCalled()
  })
})

const minute = 60_000

test.each([
  ['without workers', [], minute, false],
  ['without workers', [], minute + 1, true],
  ['with a short timeout', [[{ timeout: 1000 }]], minute + 1, true],
  ['with a default timeout', [[{}]], 15 * minute, false],
  ['with a default timeout', [[{}]], 15 * minute + 1, true],
  ['with two workers', [[{ timeout: 1000 }], [{ timeout: 20 * minute }, {}]], 20 * minute, false],
  ['with two workers', [[{ timeout: 1000 }], [{ timeout: 20 * minute }, {}]], 20 * minute + 1, true],
])('a process %s: %j, silent for %i ms, is stuck: %s', (_name, workers, silentFor, expected) => {
  const policies = workers.map((handlers) => handlers.map((one) => ({ name: 'a', backoff: 1, ...one })))
  expect(isStuck(new Map(policies.entries()), silentFor)).toBe(expected)
})
