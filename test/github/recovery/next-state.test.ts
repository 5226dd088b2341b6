import { describe, expect, test } from 'vitest'
import { isRequestDue, nextState } from '../../../src/github/recovery/next-state.ts'
import { type MissedDelivery, missedDeliveryStates } from '../../../src/inbox/missed-deliveries.ts'

const logged = { delivered: false, deliveryId: '7' }

describe('nextState', () => {
  type Seen = Parameters<typeof nextState>[1]
  const seen = (more: Partial<Seen> = {}): Seen => ({
    ...{ inInbox: false, handled: true, expired: false, logged },
    ...more,
  })

  test.each<[string, Seen, ReturnType<typeof nextState>]>([
    ['that failed', seen(), 'missed'],
    ['that the inbox has', seen({ inInbox: true }), undefined],
    ['that the inbox has, of an event without a handler', seen({ inInbox: true, handled: false }), undefined],
    ['of an event without a handler', seen({ handled: false }), 'unhandled'],
    [
      'that was delivered, of an event without a handler',
      seen({ handled: false, logged: { ...logged, delivered: true } }),
      'unhandled',
    ],
    ['that was delivered', seen({ logged: { ...logged, delivered: true } }), 'unrecorded'],
    ['that was delivered, and expired', seen({ expired: true, logged: { ...logged, delivered: true } }), 'unrecorded'],
    ['that failed, and expired', seen({ expired: true }), 'expired'],
  ])('of a delivery that was not recorded before, %s', (_what, input, expected) => {
    expect(nextState(undefined, input)).toBe(expected)
  })

  describe.each(missedDeliveryStates)('of a delivery that was %s', (state) => {
    const missed = { state, deliveryId: '7' }

    test.each<[string, Seen, ReturnType<typeof nextState>]>([
      ['and is in the inbox', seen({ inInbox: true }), 'received'],
      ['and is in the inbox, and not in the log', seen({ inInbox: true, logged: undefined }), 'received'],
      ['and is in the inbox, and expired', seen({ inInbox: true, expired: true }), 'received'],
      ['and has no handler', seen({ handled: false }), 'unhandled'],
      ['and has no handler, and is not in the log', seen({ handled: false, logged: undefined }), 'unhandled'],
      ['and was delivered', seen({ logged: { ...logged, delivered: true } }), 'unrecorded'],
      ['and expired', seen({ expired: true }), 'expired'],
      ['and expired, and is not in the log', seen({ expired: true, logged: undefined }), 'expired'],
      ['and failed again', seen({ logged: { ...logged, deliveryId: '8' } }), 'missed'],
      ['and has the same last attempt', seen(), state],
      ['and is not in the log', seen({ logged: undefined }), state],
    ])('%s', (_what, input, expected) => {
      expect(nextState(missed, input)).toBe(expected)
    })
  })
})

describe('isRequestDue', () => {
  const minute = 60_000
  const hour = 60 * minute
  const now = 1000 * hour
  const missed = (more: Partial<MissedDelivery>): MissedDelivery => ({
    ...{
      hookId: '1',
      guid: 'g',
      target: 'acme/shop',
      event: 'push',
      action: undefined,
      deliveryId: '7',
      deliveredAt: 0,
    },
    ...{ status: 'timed out', state: 'missed', requests: 0, requestedAt: undefined, expiresAt: now + hour },
    ...more,
  })

  test.each<[string, Partial<MissedDelivery>, boolean]>([
    ['a delivery that was never requested', {}, true],
    ['a first failure before the interval', { requests: 1, requestedAt: now - 4 * minute }, false],
    ['a first failure after the interval', { requests: 1, requestedAt: now - 5 * minute }, true],
    ['a third failure before four intervals', { requests: 3, requestedAt: now - 19 * minute }, false],
    ['a third failure after four intervals', { requests: 3, requestedAt: now - 20 * minute }, true],
    ['a hundredth failure before six hours', { requests: 100, requestedAt: now - 5 * hour }, false],
    ['a hundredth failure after six hours', { requests: 100, requestedAt: now - 6 * hour }, true],
    ['a request without a result for an hour', { state: 'requested', requests: 1, requestedAt: now - hour }, false],
    ['a request without a result for longer', { state: 'requested', requests: 1, requestedAt: now - hour - 1 }, true],
    ['a failure in the future, by a clock that was ahead', { requests: 1, requestedAt: now + 48 * hour }, true],
    [
      'a request in the future, by a clock that was ahead',
      { state: 'requested', requests: 1, requestedAt: now + 48 * hour },
      true,
    ],
    ['a delivery that was received', { state: 'received' }, false],
    ['a delivery that expired', { state: 'expired' }, false],
    ['a delivery that is unrecorded', { state: 'unrecorded' }, false],
  ])('of %s', (_what, more, expected) => {
    expect(isRequestDue(missed(more), { every: 5 * minute, includeOk: false }, now)).toBe(expected)
  })

  test('of a delivery that is unrecorded, with includeOk', () => {
    expect(isRequestDue(missed({ state: 'unrecorded' }), { every: 5 * minute, includeOk: true }, now)).toBe(true)
    const again = missed({ state: 'unrecorded', requests: 1, requestedAt: now - minute })
    expect(isRequestDue(again, { every: 5 * minute, includeOk: true }, now)).toBe(false)
  })
})
