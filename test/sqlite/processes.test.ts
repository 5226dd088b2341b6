import { expect, test } from 'vitest'
import { type ProcessInfo, processTimeout } from '../../src/inbox/processes.ts'
import { heartbeat, processes, unregister } from '../../src/sqlite/processes.ts'
import { Engine } from './engine.ts'

const presence = (id: string): ProcessInfo => ({ id, role: 'all', version: '1.2.3', startedAt: 1 })

/** Says it at the same time for each, on a new file. */
function saidBy(ids: readonly string[], at: number) {
  const { writing } = new Engine()
  for (const id of ids) heartbeat(writing, presence(id), at)
  return { writing, idsAt: (now: number) => processes(writing, now).map(({ id }) => id) }
}

const now = 1_700_000_000_000

test('a process that is silent for longer than a minute is left out, and forgotten when another speaks', () => {
  const { writing, idsAt } = saidBy(['silent', 'alive'], now)
  expect(idsAt(now + processTimeout)).toEqual(['alive', 'silent'])
  expect(idsAt(now + processTimeout + 1)).toEqual([])
  heartbeat(writing, presence('alive'), now + processTimeout + 1)
  expect(idsAt(now + processTimeout + 1)).toEqual(['alive'])
  expect(writing.all('select id from processes')).toEqual([{ id: 'alive' }])
})

test('one that spoke before the clock was set back far is not there for all that time', () => {
  const { writing, idsAt } = saidBy(['before'], now)
  expect(idsAt(now - 24 * 3_600_000)).toEqual([])
  heartbeat(writing, presence('after'), now - 24 * 3_600_000)
  expect(writing.all('select id from processes')).toEqual([{ id: 'after' }])
})

test('what one says of its start does not change, nor where it is', () => {
  const { writing } = saidBy(['a'], now)
  const [first] = processes(writing, now)
  heartbeat(writing, { ...presence('a'), role: 'worker' }, now + 5)
  expect(processes(writing, now + 5)).toEqual([{ ...first, role: 'worker', seenAt: now + 5 }])
  unregister(writing, 'a')
  expect(processes(writing, now + 5)).toEqual([])
})
