import { createHash } from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import type { Delivery } from '../../../src/delivery.ts'
import type { HandlerOptions } from '../../../src/handler.ts'
import type { StoredDelivery } from '../../../src/inbox/inbox.ts'
import { operatorSource } from '../../../src/inbox/records.ts'
import { type MatchedDelivery, matchDelivery } from '../../../src/inbox/worker/matcher.ts'
import { toDeliveryHeaders } from '../../../src/inbox/worker/payload.ts'
import { Slots } from '../../../src/inbox/worker/slots.ts'
import type { PayloadParser } from '../../../src/options.ts'
import { keepDigits } from '../../../src/runtime/json.ts'
import { Host, storedOf } from '../fixtures.ts'

const issue = {
  action: 'opened',
  issue: { title: 'It breaks', number: 7 },
  repository: { full_name: 'acme/site' },
  sender: { login: 'ada' },
}
const opened = () => storedOf(issue, { event: 'issues' })
const nothing = () => {}

/** The match of a small delivery, for which there is memory. */
const matchOf = (delivery: StoredDelivery, host: Host, slots: Slots): MatchedDelivery =>
  matchDelivery(delivery, { host, slots, cost: 1000, hasMemory: true, now: 1000 })

describe('a match', () => {
  test('has the matching handlers, most specific first, and the summary of the payload', () => {
    const host = new Host().on('*', nothing).on('issues', nothing).on('issues.opened', nothing).on('push', nothing)
    const { match, payload, registrations } = matchOf(opened(), host, new Slots())
    expect(match).toEqual({
      id: 1,
      summary: expect.objectContaining({ repository: 'acme/site', sender: 'ada', title: 'It breaks', number: 7 }),
      tasks: ['on:issues.opened', 'on:issues', 'on:*'].map((handler) => ({
        handler,
        fairKey: 'acme/site',
        claim: true,
      })),
      discardReplay: false,
    })
    expect(payload?.data).toEqual(issue)
    expect(registrations.map(({ name }) => name)).toEqual(['on:issues.opened', 'on:issues', 'on:*'])
  })

  test('has the start time of a handler with a delay, and takes no slot before it', () => {
    for (const [receivedAt, delay, startAt, claim] of [
      [900, 101, 1001, false],
      [900, 100, 1000, true],
      [2000, 0, undefined, true],
      [2000, undefined, undefined, true],
    ] as const) {
      const [host, slots] = [new Host().on('issues', { delay }, nothing), new Slots()]
      const { match } = matchOf(storedOf(issue, { event: 'issues', receivedAt }), host, slots)
      expect(match.tasks).toEqual([{ handler: 'on:issues', fairKey: 'acme/site', claim, startAt }])
    }
  })

  test('has no tasks if no handler matches', () => {
    expect(matchOf(opened(), new Host().on('push', nothing), new Slots()).match.tasks).toEqual([])
  })

  test('also reads a form', () => {
    const body = new TextEncoder().encode(new URLSearchParams({ payload: JSON.stringify(issue) }).toString())
    const { match } = matchOf(storedOf('', { body, form: 'form', event: 'issues' }), new Host(), new Slots())
    expect(match.summary.number).toBe(7)
  })

  test('has the setting for replays, except if an operator has created the delivery', () => {
    const host = new Host()
    host.replays = 'discard'
    expect(matchOf(opened(), host, new Slots()).match.discardReplay).toBe(true)
    const ofOperator = { ...opened(), source: operatorSource }
    expect(matchOf(ofOperator, host, new Slots()).match.discardReplay).toBe(false)
  })

  test.each([
    ['text that is not JSON', 'text', /^invalid_payload: The payload is not a JSON object \(SyntaxError: /],
    ['a list', '[1]', /^invalid_payload: The payload is not a JSON object$/],
    ['bytes that are not UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), /^invalid_payload: .* \(TypeError/],
    ['a form without its field', 'a=b', /^invalid_payload: .*\(the form has no field "payload"\)$/],
  ])('of %s has the reason why no handler sees it, and takes no slot', (name, body, reason) => {
    const host = new Host().on('*', { concurrency: 1 }, nothing)
    const slots = new Slots()
    const form = name.includes('form') ? 'form' : 'json'
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
    const { match, registrations } = matchOf(storedOf('', { body: bytes, form }), host, slots)
    expect(match).toEqual({ id: 1, summary: {}, tasks: [], invalid: expect.stringMatching(reason) })
    expect(registrations).toEqual([])
    expect(slots.free(host.registrations()[0] as never)).toBe(1)
  })
})

describe('the option parsePayload', () => {
  const big = '{"id":9007199254740993,"action":"opened","number":8}'
  const delivery = () => storedOf(big, { event: 'issues' })
  const hostWith = (parsePayload: PayloadParser) => Object.assign(new Host(), { parsePayload })
  const keepDigitsIn = (json: string) => JSON.parse(json, keepDigits)

  test('parses the payload of tasks that can run now', () => {
    const { payload, match } = matchOf(delivery(), hostWith(keepDigitsIn).on('issues.opened', nothing), new Slots())
    expect(payload?.data).toEqual({ id: '9007199254740993', action: 'opened', number: 8 })
    expect(match.summary).toMatchObject({ action: 'opened', number: 8 })
  })

  test('is not used if no handler matches, or if no task can run now', () => {
    const parsePayload = vi.fn(keepDigitsIn)
    const host = hostWith(parsePayload).on('issues', nothing)
    expect(matchOf(storedOf(big), host, new Slots()).match.tasks).toEqual([])
    const waiting = matchDelivery(delivery(), { host, slots: new Slots(), cost: 1000, hasMemory: false, now: 1000 })
    expect(waiting).toMatchObject({ payload: undefined, match: { tasks: [{ claim: false }] } })
    expect(parsePayload).not.toHaveBeenCalled()
  })

  test('parses the payload that the function "order" gets, and not the repository', () => {
    const keyWith = (parsePayload: PayloadParser, order: HandlerOptions['order']) => {
      const host = hostWith(parsePayload).on('issues', { order }, nothing)
      return matchOf(storedOf(issue, { event: 'issues' }), host, new Slots()).match.tasks[0]?.key
    }
    expect(
      keyWith(
        () => ({ key: 7n }),
        ({ payload }) => String(payload.key),
      ),
    ).toBe('7')
    expect(keyWith(() => ({ repository: 1n }), 'repository')).toBe('acme/site')
  })

  test('leaves its failure to the attempts, and a function "order" gives no key', () => {
    const host = hostWith(() => []).on('issues', { name: 'sync', order: () => 'a key' }, nothing)
    const { match, payload } = matchOf(delivery(), host, new Slots())
    expect(match.tasks).toEqual([{ handler: 'sync', key: undefined, fairKey: '', claim: true }])
    expect(payload).toBeUndefined()
    expect(host.recorder.lines).toMatchObject([
      { level: 'error', fields: { err: { message: expect.stringContaining('Option "parsePayload"') } } },
    ])
  })
})

describe('slots', () => {
  test('are taken while there are free ones; other tasks have to wait', () => {
    const host = new Host().on('*', { concurrency: 2 }, nothing).on('issues', nothing)
    const slots = new Slots()
    const matched = [1, 2, 3].map(() => matchOf(opened(), host, slots))
    expect(matched.map(({ match }) => match.tasks.map(({ claim }) => claim))).toEqual([
      [true, true],
      [true, true],
      [true, false],
    ])
    matched[0]?.slots.get('on:*')?.release()
    expect(matchOf(opened(), host, slots).match.tasks.map(({ claim }) => claim)).toEqual([true, true])
  })
})

describe('the fair key', () => {
  const repository = { full_name: 'acme/site', owner: { login: 'acme' } }
  const installation = { id: 7 }
  const keysOf = (payload: object) => {
    const host = new Host()
    for (const fair of ['repository', 'installation', false, undefined] as const) {
      host.on('*', { name: String(fair), fair }, nothing)
    }
    return matchOf(storedOf(payload), host, new Slots()).match.tasks.map(({ fairKey }) => fairKey)
  }

  test('is the repository by default, or the installation', () => {
    expect(keysOf({ repository, installation })).toEqual(['acme/site', '7', undefined, 'acme/site'])
  })

  test('is the owner if the payload lacks them', () => {
    expect(keysOf({ repository })).toEqual(['acme/site', 'acme', undefined, 'acme/site'])
    expect(keysOf({ organization: { login: 'acme' } })).toEqual(['acme', 'acme', undefined, 'acme'])
    expect(keysOf({ repository: 7, installation: [], organization: null })).toEqual(['', '', undefined, ''])
  })

  test('is replaced by its hash if it has more than 200 characters', () => {
    const long = 'é'.repeat(201)
    const hashed = `sha256:${createHash('sha256').update(long).digest('hex')}`
    expect(keysOf({ repository: { full_name: long } })[0]).toBe(hashed)
  })

  test.each(['a\0b', 'a\ud83d'])('is replaced by its hash if PostgreSQL cannot store it: %j', (odd) => {
    const hashed = `sha256:${createHash('sha256').update(odd).digest('hex')}`
    expect(keysOf({ repository: { full_name: odd } })[0]).toBe(hashed)
  })
})

describe('the order key', () => {
  const keyOf = (order: 'repository' | ((delivery: Delivery) => string | undefined), payload: object = issue) => {
    const host = new Host().on('*', { order }, nothing)
    return [matchOf(storedOf(payload), host, new Slots()).match.tasks[0]?.key, host.recorder.messages]
  }

  test('is the repository, if the payload has one', () => {
    expect(keyOf('repository')).toEqual(['acme/site', []])
    expect(keyOf('repository', {})).toEqual([undefined, []])
  })

  test('is the result of the function', () => {
    expect(keyOf(({ event, action, sender }) => `${event} ${action} ${sender}`)).toEqual(['push opened ada', []])
    expect(keyOf(() => undefined)).toEqual([undefined, []])
    expect(keyOf(() => null as never)).toEqual([undefined, []])
    expect(keyOf(() => '')).toEqual(['', []])
    expect(keyOf(() => 7 as never)).toEqual(['7', []])
  })

  test('is replaced by its hash if it has more than 200 characters', () => {
    const long = 'é'.repeat(201)
    const hashed = `sha256:${createHash('sha256').update(long).digest('hex')}`
    expect(keyOf(() => long)).toEqual([hashed, []])
    expect(keyOf('repository', { repository: { full_name: long } })).toEqual([hashed, []])
    expect(keyOf(() => long.slice(1))).toEqual([long.slice(1), []])
  })

  test('is missing if the function fails, and the error is logged', () => {
    const host = new Host().on(
      '*',
      {
        name: 'sync',
        order: () => {
          throw new Error('in the order')
        },
      },
      nothing,
    )
    const { match } = matchOf(storedOf(issue, { guid: 'g' }), host, new Slots())
    expect(match.tasks).toEqual([{ handler: 'sync', key: undefined, fairKey: 'acme/site', claim: true }])
    expect(host.recorder.lines).toMatchObject([
      { level: 'error', fields: { err: { message: 'in the order' }, handler: 'sync', guid: 'g' } },
    ])
  })

  test('is missing if the function returns a promise', async () => {
    for (const promise of [Promise.resolve('a'), Promise.reject(new Error('later'))]) {
      const [key, messages] = keyOf(() => promise as never)
      expect([key, messages]).toEqual([undefined, [expect.stringContaining('the delivery has no order key')]])
    }
  })

  test('is computed only for handlers with an order', () => {
    const order = vi.fn(() => 'a key')
    const host = new Host().on('issues', nothing).on('*', { order }, nothing).on('push', { order }, nothing)
    const { tasks } = matchOf(opened(), host, new Slots()).match
    expect(tasks.map(({ handler, key }) => [handler, key])).toEqual([
      ['on:issues', undefined],
      ['on:*', 'a key'],
    ])
    expect(order).toHaveBeenCalledOnce()
  })
})

test('a handler gets the flags of the stored delivery', () => {
  const stored = storedOf({}, { redelivered: true, conflict: true, replayed: true, pulled: true, receivedAt: 5 })
  expect(toDeliveryHeaders(stored)).toMatchObject({
    receivedAt: new Date(5),
    guid: stored.guid,
    redelivered: true,
    conflict: true,
    replayed: true,
    pulled: true,
  })
})
