import { describe, expect, test } from 'vitest'
import { foldText } from '../../dashboard/delivery/fold-text.ts'
import { replyTo } from '../../dashboard/delivery/reply.ts'
import { stepsOf } from '../../dashboard/delivery/steps.ts'
import type { AttemptDetail, DeliveryDetail, TaskDetail } from '../../src/inbox/records.ts'

const attempt = (number: number, startedAt: number, more: Partial<AttemptDetail> = {}): AttemptDetail => ({
  ...{ number, startedAt, duration: 5, outcome: 'succeeded', error: undefined, result: undefined, log: undefined },
  ...more,
})

const task = (handler: string, attempts: AttemptDetail[]): TaskDetail => ({
  ...{ handler, attempts, state: 'done', key: undefined, nextAttemptAt: undefined },
})

const detail = (more: Partial<DeliveryDetail> = {}) =>
  ({
    receivedAt: 1000,
    storedAt: 1004,
    ackedAt: 1005,
    algorithm: 'sha256',
    secretIndex: 0,
    tasks: [],
    ...more,
  }) as unknown as DeliveryDetail

describe('the timeline', () => {
  test('shows each step and the time since the previous one of the same handler', () => {
    const tasks = [
      task('audit', [attempt(1, 1010)]),
      task('tracker', [
        attempt(1, 1008, { outcome: 'failed' }),
        attempt(2, 6000, { outcome: 'running', duration: undefined }),
      ]),
    ]
    const steps = stepsOf(detail({ tasks, state: 'running' }))
    expect(steps.map(({ name, handler, after, since, says }) => [name, handler, after, since, says])).toEqual([
      ['received', undefined, undefined, undefined, ''],
      ['verified', undefined, undefined, undefined, 'sha256, secret 1'],
      ['stored', undefined, 4, 'received', 'written to disk'],
      ['replied', undefined, 1, 'stored', '202 Accepted'],
      ['attempt 1', 'tracker', 3, 'replied', 'failed, took 5 ms'],
      ['attempt 1', 'audit', 5, 'replied', 'succeeded, took 5 ms'],
      ['attempt 2', 'tracker', 4992, 'attempt 1', 'running'],
    ])
  })

  test('includes the next step until the delivery has ended', () => {
    const last = (state: DeliveryDetail['state']) => stepsOf(detail({ state, nextAttemptAt: 9000 })).at(-1)
    expect(last('retrying')).toMatchObject({ name: 'next attempt', at: 9000, outcome: 'next' })
    expect(last('dead')).toMatchObject({ name: 'replied' })
  })

  test('marks unchecked facts, and shows no reply that was not recorded', () => {
    const steps = stepsOf(detail({ algorithm: undefined, ackedAt: undefined }))
    expect(steps.map(({ name, says }) => [name, says])).toEqual([
      ['received', ''],
      ['not verified', 'no signature was checked'],
      ['stored', 'written to disk'],
    ])
  })

  test('has no reply to a delivery that was fetched from GitHub’s API', () => {
    const steps = stepsOf(detail({ algorithm: undefined, pulled: true }))
    expect(steps.map(({ name, says }) => [name, says])).toEqual([
      ['received', ''],
      ['not verified', 'fetched from GitHub’s API, without a signature'],
      ['stored', 'written to disk'],
    ])
  })
})

describe('the reply', () => {
  test.each<[string, Partial<DeliveryDetail>, object]>([
    ['has a status, a text and a time', {}, { text: '202 Accepted', at: 1005 }],
    ['is not stated if it was not recorded', { ackedAt: undefined }, { text: 'not recorded', at: undefined }],
    [
      'does not exist for a fetched delivery',
      { pulled: true },
      { text: 'none: hookserver fetched this delivery from GitHub’s API', at: undefined },
    ],
    [
      'does not exist for a created delivery',
      { source: 'dashboard' },
      { text: 'none: an operator created this delivery', at: undefined },
    ],
  ])('%s', (_name, more, reply) => {
    expect(replyTo(detail(more))).toEqual(reply)
  })
})

describe('a text', () => {
  const lines = (count: number) => Array.from({ length: count }, (_, index) => `line ${index}`).join('\n')

  test.each([
    ['short', lines(5), 0],
    ['of a line more than is shown', lines(13), 0],
    ['of many lines', lines(1000), lines(1000).length - (lines(12).length + 1)],
    ['of one long line', 'x'.repeat(1_000_000), 998_500],
    ['empty', '', 0],
  ])('that is %s is collapsed to the expected length', (_name, text, left) => {
    const short = foldText(text)
    expect(short.left).toBe(left)
    expect(short.text).toBe(text.slice(0, text.length - left))
  })
})
