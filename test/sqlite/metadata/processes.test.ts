import { expect, test } from 'vitest'
import { type ProcessInfo, processTimeout, silenceTimeout } from '../../../src/inbox/processes.ts'
import { heartbeat, processes, unregister } from '../../../src/sqlite/metadata/processes.ts'
import { Engine } from '../engine.ts'

const processInfo = (id: string): ProcessInfo => ({ id, role: 'all', version: '1.2.3', startedAt: 1 })

/** Registers processes at one time, in a new file. */
function register(ids: readonly string[], at: number) {
  const { writing } = new Engine()
  for (const id of ids) heartbeat(writing, processInfo(id), at)
  return { writing, idsAt: (now: number) => processes(writing, now).map(({ id }) => id) }
}

const now = 1_700_000_000_000

test('omits a process without a heartbeat for a minute, and deletes it at the heartbeat of another process', () => {
  const { writing, idsAt } = register(['silent', 'alive'], now)
  expect(idsAt(now + processTimeout)).toEqual(['alive', 'silent'])
  expect(idsAt(now + processTimeout + 1)).toEqual([])
  heartbeat(writing, processInfo('alive'), now + processTimeout + 1)
  expect(idsAt(now + processTimeout + 1)).toEqual(['alive'])
  expect(writing.all('select id from processes')).toEqual([{ id: 'alive' }])
})

test('marks a process that has missed two heartbeats', () => {
  const { writing } = register(['silent'], now)
  const silentAt = (at: number) => processes(writing, at).map(({ silent }) => silent)
  expect(silentAt(now + silenceTimeout)).toEqual([undefined])
  expect(silentAt(now + silenceTimeout + 1)).toEqual([true])
  heartbeat(writing, processInfo('silent'), now + silenceTimeout + 1)
  expect(silentAt(now + silenceTimeout + 1)).toEqual([undefined])
})

test('omits a process whose registration is in the future, because the clock was set back', () => {
  const { writing, idsAt } = register(['before'], now)
  expect(idsAt(now - 24 * 3_600_000)).toEqual([])
  heartbeat(writing, processInfo('after'), now - 24 * 3_600_000)
  expect(writing.all('select id from processes')).toEqual([{ id: 'after' }])
})

test('renews role and time of a process, and keeps its start and host', () => {
  const { writing } = register(['a'], now)
  const [first] = processes(writing, now)
  heartbeat(writing, { ...processInfo('a'), role: 'worker' }, now + 5)
  expect(processes(writing, now + 5)).toEqual([{ ...first, role: 'worker', seenAt: now + 5 }])
  unregister(writing, 'a')
  expect(processes(writing, now + 5)).toEqual([])
})
