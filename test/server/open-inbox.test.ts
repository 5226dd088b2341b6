import { describe, expect, test } from 'vitest'
import { cureOf, cures, isTemporary, reasonOf, temporary } from '../../src/server/open-inbox.ts'

/** An error with a code, as `pg`, the system or TLS throw it. */
const coded = (code: string, message = 'the cause'): Error => Object.assign(new Error(message), { code })

/** An error as it is thrown: with the outer error of the inbox and of the connection. */
const within = (cause: Error): Error =>
  new Error('Cannot open the inbox', { cause: new Error('no connection', { cause }) })

describe('an error of opening PostgreSQL', () => {
  test.each([...temporary])('is temporary and still has a cure: %s', (code) => {
    expect([isTemporary(coded(code)), isTemporary(within(coded(code)))]).toEqual([true, true])
    expect(cureOf(coded(code))).toBeTypeOf('string')
  })

  test.each(['ENOTFOUND', 'ENOENT', '28P01', '3D000', '42501', '53300', 'CERT_HAS_EXPIRED'])(
    'needs an operator: %s',
    (code) => {
      expect([isTemporary(coded(code)), isTemporary(within(coded(code)))]).toEqual([false, false])
    },
  )

  test('has the cure of its code, however deep the code is', () => {
    for (const [code, cure] of Object.entries(cures)) {
      expect([cureOf(coded(code)), cureOf(within(coded(code)))]).toEqual([cure, cure])
    }
  })

  test('has the cure of the outermost error, if several have one', () => {
    const above = Object.assign(within(coded('ECONNREFUSED')), { code: '57P03' })
    expect(cureOf(above)).toBe(cures['57P03'])
  })

  test.each([
    ['an error of another code', coded('XX000')],
    ['an error without a code', within(new Error('the cause'))],
    ['an object that is not an error', { code: 'ECONNREFUSED' }],
    ['nothing', undefined],
  ])('may be %s, which has no cure', (_what, error) => {
    expect([isTemporary(error), cureOf(error)]).toEqual([false, undefined])
  })
})

describe('the reason', () => {
  test('is the message of the innermost error', () => {
    expect(reasonOf(within(coded('28P01', 'password authentication failed')))).toBe('password authentication failed')
    expect(reasonOf(new Error('alone'))).toBe('alone')
  })

  test('is a code or a name if there is no message', () => {
    const tried = Object.assign(new AggregateError([coded('ECONNREFUSED')]), { code: 'ECONNREFUSED' })
    expect(reasonOf(within(tried))).toBe('ECONNREFUSED')
    expect(reasonOf(within(new AggregateError([])))).toBe('AggregateError')
  })
})
