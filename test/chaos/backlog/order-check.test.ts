import { expect, test } from 'vitest'
import type { Line } from '../../campaign/journal.ts'
import type { Backlog } from './deliveries.ts'
import { type Excuses, OrderCheck } from './order-check.ts'

/** Two deliveries of one repository, in order of receipt, and a delivery of another repository. */
const backlog: Pick<Backlog, 'byGuid' | 'byRepository'> = {
  byGuid: new Map([
    ['first', { guid: 'first', repository: 'a', position: 0 }],
    ['second', { guid: 'second', repository: 'a', position: 1 }],
    ['other', { guid: 'other', repository: 'b', position: 0 }],
  ]),
  byRepository: new Map([
    ['a', ['first', 'second']],
    ['b', ['other']],
  ]),
}

/** @param journal Lines such as `+first:1@7`: mark, GUID, attempt and process. */
function check(journal: string, excuses: Partial<Excuses> = {}): OrderCheck {
  const lines = journal.split(' ').map((text): Line => {
    const [, mark, guid = '', attempt, pid] = /^(.)(\w+):(\d)@(\d)$/.exec(text) ?? []
    return { mark: mark as Line['mark'], guid, handler: 'backlog', attempt: Number(attempt), pid: Number(pid) }
  })
  const none = new Set<never>()
  return new OrderCheck(backlog, {
    interrupted: none,
    retried: none,
    expired: none,
    expiredLast: none,
    ...excuses,
  }).check(lines)
}

test.each([
  ['deliveries that run one after the other', '+first:1@1 =first:1@1 +second:1@2 =second:1@2', {}],
  ['deliveries of two repositories at the same time', '+first:1@1 +other:1@1 =other:1@1 =first:1@1', {}],
  ['a failed attempt that is retried', '+first:1@1 -first:1@1 +first:2@2 =first:2@2 +second:1@1', {}],
  ['a delivery that failed and has no attempts left', '+first:5@1 -first:5@1 +second:1@1', {}],
  [
    'a task reclaimed from a dead process',
    '+first:1@1 +first:2@2 =first:2@2 +second:1@2',
    { interrupted: new Set([1]) },
  ],
  [
    'a last attempt that was cut off before its handler began',
    '+first:4@1 -first:4@1 +second:1@2',
    { expiredLast: new Set(['first']) },
  ],
  ["an operator's retry", '+first:1@1 =first:1@1 +second:1@1 =second:1@1 +first:1@1', { retried: new Set(['first']) }],
])('accepts %s', (_what, journal, excuses) => {
  expect(check(journal, excuses).wrong).toEqual([])
})

test.each([
  ['a newer delivery that begins first', '+second:1@1 =second:1@1', /began before 1 older deliveries/],
  ['two deliveries of a repository at the same time', '+first:1@1 +second:1@2', /began while first/],
  ['simultaneous attempts without an interrupted process', '+first:1@1 +first:2@2', /began while first/],
  ['a delivery that overtakes one that must be retried', '+first:1@1 -first:1@1 +second:1@1', /before first had ended/],
  ['a second run after a newer delivery', '+first:1@1 =first:1@1 +second:1@1 =second:1@1 +first:2@1', /began again/],
])('reports %s', (_what, journal, expected) => {
  expect(check(journal).wrong).toEqual(expect.arrayContaining([expect.stringMatching(expected)]))
})

test('reports a delivery that begins during an attempt of the previous one, which is cut off later', () => {
  const { wrong } = check('+first:4@1 +second:1@2', { expiredLast: new Set(['first']) })
  expect(wrong).toContainEqual(expect.stringMatching(/before first had ended/))
})

test('counts an attempt that began after its task was reclaimed', () => {
  const excuses = { interrupted: new Set([1]), expired: new Set(['first']) }
  const order = check('+first:2@2 =first:2@2 +second:1@2 =second:1@2 +first:1@1 =first:1@1', excuses)
  expect(order).toMatchObject({ wrong: [], late: 1 })
})
