import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Hooks } from '../../src/hooks.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { ProcessRegistry } from '../../src/inbox/process-registry.ts'
import type { ProcessInfo } from '../../src/inbox/processes.ts'
import type { HooksOptions } from '../../src/options.ts'
import { version } from '../../src/runtime/platform.ts'
import { pass, stopTheClock, turnOfTheLoop } from '../receiver/fixtures.ts'
import { eventually, inboxFile, openInbox, withMembers } from './stores.ts'

function attendanceIn(answer: () => Promise<void> = async () => {}) {
  const heartbeat = vi.fn((_presence: ProcessInfo) => answer())
  const unregister = vi.fn((_id: string) => answer())
  return { attendance: new ProcessRegistry({ heartbeat: heartbeat, unregister: unregister }), heartbeat, unregister }
}

const rolesIn = ({ mock }: ReturnType<typeof attendanceIn>['heartbeat']) => mock.calls.map(([{ role }]) => role)

describe('a process', () => {
  stopTheClock('setTimeout', 'clearTimeout', 'Date')

  async function passed(ms: number): Promise<void> {
    pass(ms)
    await turnOfTheLoop()
  }

  test('says every ten seconds that it is there, until it ends', async () => {
    const { attendance, heartbeat, unregister } = attendanceIn()
    const startedAt = Date.now()
    attendance.add('receiver')
    await passed(0)
    expect(heartbeat).toHaveBeenCalledExactlyOnceWith({ id: expect.any(String), role: 'receiver', version, startedAt })
    await passed(9999)
    expect(heartbeat).toHaveBeenCalledTimes(1)
    await passed(1)
    expect(heartbeat).toHaveBeenCalledTimes(2)
    expect(heartbeat.mock.calls[1]).toEqual(heartbeat.mock.calls[0])
    await attendance.unregister()
    expect(unregister).toHaveBeenCalledExactlyOnceWith(heartbeat.mock.calls[0]?.[0].id)
    await passed(60_000)
    attendance.add('worker')
    await passed(60_000)
    expect(heartbeat).toHaveBeenCalledTimes(2)
  })

  test('says at once what it does beside what it did, and once what it begins in one turn', async () => {
    const { attendance, heartbeat } = attendanceIn()
    attendance.add('worker')
    attendance.add('receiver')
    attendance.add('receiver')
    await passed(0)
    expect(rolesIn(heartbeat)).toEqual(['all'])
    const later = attendanceIn()
    later.attendance.add('receiver')
    await passed(0)
    later.attendance.add('worker')
    await passed(0)
    expect(rolesIn(later.heartbeat)).toEqual(['receiver', 'all'])
  })

  test('says one thing at a time, however slow the inbox is', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { attendance, heartbeat, unregister } = attendanceIn(() => promise)
    attendance.add('receiver')
    await passed(0)
    attendance.add('worker')
    await passed(60_000)
    expect(rolesIn(heartbeat)).toEqual(['receiver'])
    resolve()
    await turnOfTheLoop()
    await passed(0)
    expect(rolesIn(heartbeat)).toEqual(['receiver', 'all'])
    expect(unregister).not.toHaveBeenCalled()
  })

  test('ends after what it is just saying, so that nothing comes after its last word', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { attendance, unregister } = attendanceIn(() => promise)
    attendance.add('receiver')
    await passed(0)
    const ended = attendance.unregister()
    await turnOfTheLoop()
    expect(unregister).not.toHaveBeenCalled()
    resolve()
    await ended
    expect(unregister).toHaveBeenCalledTimes(1)
  })

  test('troubles nobody where the inbox does not take it, and says it again', async () => {
    const { attendance, heartbeat } = attendanceIn(() => Promise.reject(new Error('The disk is full')))
    attendance.add('receiver')
    await passed(0)
    await passed(10_000)
    expect(heartbeat).toHaveBeenCalledTimes(2)
    await attendance.unregister()
    const without = new ProcessRegistry({} as Inbox)
    without.add('worker')
    await passed(0)
    await without.unregister()
  })

  test('that does nothing with deliveries says nothing', async () => {
    const { attendance, heartbeat, unregister } = attendanceIn()
    await passed(60_000)
    await attendance.unregister()
    expect([heartbeat, unregister].map(({ mock }) => mock.calls.length)).toEqual([0, 0])
  })
})

describe('a Hooks', () => {
  const mounts: [string, (hooks: Hooks, options: HooksOptions) => void, ProcessInfo['role'] | undefined][] = [
    ['receives and handles', (hooks, options) => void hooks.mount(options), 'all'],
    ['receives', (hooks, options) => void hooks.mount({ ...options, work: false }), 'receiver'],
    ['handles', (hooks, options) => hooks.work(options), 'worker'],
    [
      'receives and handles, as it is told one after the other',
      (hooks, options) => {
        hooks.mount({ ...options, work: false })
        hooks.work(options)
      },
      'all',
    ],
    [
      'handles, and takes in what an operator makes',
      (hooks, options) => {
        hooks.mount({ ...options, work: false }, { receives: false })
        hooks.work(options)
      },
      'worker',
    ],
  ]

  test.for(mounts)('that %s is seen by others until it is closed', async ([, begin, role]) => {
    const path = inboxFile()
    const [inbox, other] = [openInbox(path), openInbox(path)]
    const hooks = new Hooks({ secret: 's', validateIp: false, logger: false })
    onTestFinished(() => hooks.close())
    begin(hooks, { inbox })
    await eventually(async () => expect(await other.processes()).toMatchObject([{ role, version, pid: process.pid }]))
    await hooks.close()
    expect(await other.processes()).toEqual([])
  })

  test('that was only made is not', async () => {
    const heartbeat = vi.fn(async () => {})
    const hooks = new Hooks({ secret: 's', inbox: withMembers(openInbox(), { heartbeat: heartbeat }) })
    await turnOfTheLoop()
    await hooks.close()
    expect(heartbeat).not.toHaveBeenCalled()
  })
})
