import { describe, expect, test, vi } from 'vitest'
import type { Delivery } from '../../../src/delivery.ts'
import type { StoredDelivery } from '../../../src/inbox/inbox.ts'
import { Slots } from '../../../src/inbox/worker/concurrency.ts'
import { type MatchedDelivery, matchDelivery, toDeliveryHeaders } from '../../../src/inbox/worker/match-delivery.ts'
import { Host, storedOf } from '../fixtures.ts'

const issue = {
  action: 'opened',
  issue: { title: 'It breaks', number: 7 },
  repository: { full_name: 'acme/site' },
  sender: { login: 'ada' },
}
const opened = () => storedOf(issue, { event: 'issues' })
const nothing = () => {}

/** The plan of a small delivery, for which there is memory. */
const planOf = (delivery: StoredDelivery, host: Host, slots: Slots): MatchedDelivery =>
  matchDelivery(delivery, { host, slots, cost: 1000, hasMemory: true })

describe('a plan', () => {
  test('has the handlers that match, most specific first, and what the payload says', () => {
    const host = new Host().on('*', nothing).on('issues', nothing).on('issues.opened', nothing).on('push', nothing)
    const { match: plan, data, registrations } = planOf(opened(), host, new Slots())
    expect(plan).toEqual({
      id: 1,
      summary: expect.objectContaining({ repository: 'acme/site', sender: 'ada', title: 'It breaks', number: 7 }),
      tasks: ['on:issues.opened', 'on:issues', 'on:*'].map((handler) => ({ handler, key: undefined, claim: true })),
      discardReplay: false,
    })
    expect(data).toEqual(issue)
    expect(registrations.map(({ name }) => name)).toEqual(['on:issues.opened', 'on:issues', 'on:*'])
  })

  test('has no tasks where nothing matches', () => {
    expect(planOf(opened(), new Host().on('push', nothing), new Slots()).match.tasks).toEqual([])
  })

  test('is made of a form too', () => {
    const body = new TextEncoder().encode(new URLSearchParams({ payload: JSON.stringify(issue) }).toString())
    const { match: plan } = planOf(storedOf('', { body, form: 'form', event: 'issues' }), new Host(), new Slots())
    expect(plan.summary.number).toBe(7)
  })

  test('says whether a replay is discarded', () => {
    const host = new Host()
    host.onReplay = 'discard'
    expect(planOf(opened(), host, new Slots()).match.discardReplay).toBe(true)
  })

  test.each([
    ['no JSON', 'text', /^invalid_payload: The payload is not a JSON object \(SyntaxError: /],
    ['no object', '[1]', /^invalid_payload: The payload is not a JSON object$/],
    ['no UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), /^invalid_payload: .* \(TypeError/],
    ['a form without its field', 'a=b', /^invalid_payload: .*\(the form has no field "payload"\)$/],
  ])('of %s says why no handler sees it, and takes no slot', (name, body, reason) => {
    const host = new Host().on('*', nothing, { concurrency: 1 })
    const slots = new Slots()
    const form = name.includes('form') ? 'form' : 'json'
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
    const { match: plan, registrations } = planOf(storedOf('', { body: bytes, form }), host, slots)
    expect(plan).toEqual({ id: 1, summary: {}, tasks: [], invalid: expect.stringMatching(reason) })
    expect(registrations).toEqual([])
    expect(slots.free(host.registrations()[0] as never)).toBe(1)
  })
})

describe('slots', () => {
  test('are taken for those that may begin, and those for which there is none have to wait', () => {
    const host = new Host().on('*', nothing, { concurrency: 2 }).on('issues', nothing)
    const slots = new Slots()
    const begins = [1, 2, 3].map(() => planOf(opened(), host, slots).match.tasks.map(({ claim: begin }) => begin))
    expect(begins).toEqual([
      [true, true],
      [true, true],
      [true, false],
    ])
    slots.release('on:*')
    expect(planOf(opened(), host, slots).match.tasks.map(({ claim: begin }) => begin)).toEqual([true, true])
  })
})

describe('the key of an order', () => {
  const keyOf = (order: 'repository' | ((delivery: Delivery) => string | undefined), payload: object = issue) => {
    const host = new Host().on('*', nothing, { order })
    return [planOf(storedOf(payload), host, new Slots()).match.tasks[0]?.key, host.recorder.messages]
  }

  test('is the repository, where there is one', () => {
    expect(keyOf('repository')).toEqual(['acme/site', []])
    expect(keyOf('repository', {})).toEqual([undefined, []])
  })

  test('is what the function says of the delivery', () => {
    expect(keyOf(({ event, action, sender }) => `${event} ${action} ${sender}`)).toEqual(['push opened ada', []])
    expect(keyOf(() => undefined)).toEqual([undefined, []])
    expect(keyOf(() => null as never)).toEqual([undefined, []])
    expect(keyOf(() => '')).toEqual(['', []])
    expect(keyOf(() => 7 as never)).toEqual(['7', []])
  })

  test('is none where the function fails, which is logged', () => {
    const host = new Host().on('*', nothing, {
      name: 'sync',
      order: () => {
        throw new Error('in the order')
      },
    })
    const { match: plan } = planOf(storedOf(issue, { guid: 'g' }), host, new Slots())
    expect(plan.tasks).toEqual([{ handler: 'sync', key: undefined, claim: true }])
    expect(host.recorder.lines).toMatchObject([
      { level: 'error', fields: { err: { message: 'in the order' }, handler: 'sync', guid: 'g' } },
    ])
  })

  test('is none where the function gives a promise of one, which may fail', async () => {
    for (const promise of [Promise.resolve('a'), Promise.reject(new Error('later'))]) {
      const [key, messages] = keyOf(() => promise as never)
      expect([key, messages]).toEqual([undefined, [expect.stringContaining('which has no key')]])
    }
  })

  test('is not asked for where there is no order', () => {
    const parse = vi.fn()
    const host = new Host().on('*', parse)
    planOf(opened(), host, new Slots())
    expect(parse).not.toHaveBeenCalled()
  })
})

test('what a stored delivery says of itself reaches its handlers', () => {
  const stored = storedOf({}, { redelivered: true, conflict: true, replayed: true, recovered: true, receivedAt: 5 })
  expect(toDeliveryHeaders(stored)).toMatchObject({
    receivedAt: new Date(5),
    guid: stored.guid,
    redelivered: true,
    conflict: true,
    replayed: true,
    recovered: true,
  })
})
