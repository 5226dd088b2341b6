import { describe, expect, test, vi } from 'vitest'
import { Hooks } from '../../src/hooks.ts'
import { Counters } from '../../src/inbox/counters.ts'
import { type Count, minute } from '../../src/inbox/counts.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { signedRequest } from '../../src/samples/signed-request.ts'
import { inject } from '../../src/testing/inject.ts'
import { pass, stopTheClock, turnOfTheLoop } from '../receiver/fixtures.ts'
import { eventually, inboxFile, openInbox } from './stores.ts'

function ledgerOf(addCounts: Inbox['addCounts'] = async () => {}) {
  const written = vi.fn(addCounts)
  return { ledger: new Counters({ addCounts: written }), written }
}

const shortOf = (counts: readonly Count[] | undefined) =>
  counts?.map(({ measure, name, outcome, count }) => [measure, name, outcome, count])

describe('the ledger', () => {
  stopTheClock('setTimeout', 'clearTimeout', 'Date')

  test('is written five seconds after the first that is noted, each count once', () => {
    const { ledger, written } = ledgerOf()
    for (let times = 0; times < 3; times++) ledger.count('attempts', 'deploy', 'succeeded')
    ledger.count('attempts', 'deploy', 'failed')
    ledger.count('refused', 'not_found')
    pass(4999)
    expect(written).not.toHaveBeenCalled()
    pass(1)
    expect(shortOf(written.mock.calls[0]?.[0])).toEqual([
      ['attempts', 'deploy', 'succeeded', 3],
      ['attempts', 'deploy', 'failed', 1],
      ['refused', 'not_found', '', 1],
    ])
    pass(60_000)
    expect(written).toHaveBeenCalledTimes(1)
  })

  test('counts by the minute', async () => {
    const { ledger, written } = ledgerOf()
    vi.setSystemTime(10 * minute - 1)
    ledger.count('refused', 'a')
    vi.setSystemTime(10 * minute)
    ledger.count('refused', 'a')
    await ledger.flush()
    expect(written.mock.calls[0]?.[0].map(({ at }) => at)).toEqual([9 * minute, 10 * minute])
  })

  test('has event, secret and time of what is received', async () => {
    const { ledger, written } = ledgerOf()
    ledger.received({ event: 'push', secretIndex: 1 }, 'stored', 1.2345)
    ledger.received({ event: 'push', secretIndex: undefined }, 'duplicate', 1234)
    await ledger.flush()
    expect(shortOf(written.mock.calls[0]?.[0])).toEqual([
      ['received', 'push', 'stored', 1],
      ['secrets', '1', '', 1],
      ['answers', '1.2', '', 1],
      ['received', 'push', 'duplicate', 1],
      ['answers', '1200', '', 1],
    ])
  })

  test('keeps what could not be written, with what comes after it', async () => {
    vi.setSystemTime(60 * minute) // it is the same minute still when it is written
    const { ledger, written } = ledgerOf(() => Promise.reject(new Error('The disk is full')))
    ledger.count('refused', 'a')
    pass(5000)
    await turnOfTheLoop()
    written.mockImplementation(async () => {})
    ledger.count('refused', 'a')
    await ledger.flush()
    expect(shortOf(written.mock.calls[1]?.[0])).toEqual([['refused', 'a', '', 2]])
  })

  test('counts names beyond the five hundredth together', async () => {
    const { ledger, written } = ledgerOf()
    for (let index = 0; index < 600; index++) ledger.count('received', `event ${index}`, 'stored')
    ledger.count('received', 'event 1', 'stored')
    await ledger.flush()
    const counts = written.mock.calls[0]?.[0] ?? []
    expect(counts).toHaveLength(501)
    expect(counts.find(({ name }) => name === 'other')?.count).toBe(100)
    expect(counts.find(({ name }) => name === 'event 1')?.count).toBe(2)
  })
})

test('what a Hooks receives, refuses and handles is in the counts of its inbox once it is closed', async () => {
  const path = inboxFile()
  const secret = ['new', 'old']
  const hooks = new Hooks({ secret, validateIp: false, inbox: openInbox(path), logger: false })
  hooks.hook('push', () => 'ok')
  const push = signedRequest('push', { secret: 'old' })
  expect((await inject(hooks, push)).status).toBe(202)
  expect((await inject(hooks, push)).status).toBe(200)
  expect((await inject(hooks, signedRequest('push', { secret: 'wrong' }))).status).toBe(400)
  const other = openInbox(path)
  await eventually(async () => expect((await other.overview()).states.done).toBe(1))
  await hooks.close()
  const counts = await other.counts({ since: 0, step: minute })
  const found = shortOf(counts.filter(({ measure }) => measure !== 'answers'))
  expect(found?.toSorted()).toEqual([
    ['attempts', 'hook:push', 'succeeded', 1],
    ['received', 'push', 'duplicate', 1],
    ['received', 'push', 'stored', 1],
    ['refused', 'wrong_signature', '', 1],
    ['secrets', '1', '', 2],
  ])
  const answers = counts.filter(({ measure }) => measure === 'answers')
  expect(answers.reduce((sum, { count }) => sum + count, 0)).toBe(2)
})
