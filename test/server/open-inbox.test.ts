import { describe, expect, test } from 'vitest'
import { cureOf, cures, isTemporary, reasonOf, temporary } from '../../src/server/open-inbox.ts'

/** An error as `pg`, the system or TLS make them. */
const coded = (code: string, message = 'of below'): Error => Object.assign(new Error(message), { code })

/** As it comes up: whoever opened the inbox has said so, and whoever connects. */
const within = (cause: Error): Error =>
  new Error('Cannot open the inbox', { cause: new Error('no connection', { cause }) })

describe('what keeps PostgreSQL from being opened', () => {
  test.each([...temporary])('passes by itself, and has a cure all the same: %s', (code) => {
    expect([isTemporary(coded(code)), isTemporary(within(coded(code)))]).toEqual([true, true])
    expect(cureOf(coded(code))).toBeTypeOf('string')
  })

  test.each(['ENOTFOUND', 'ENOENT', '28P01', '3D000', '42501', '53300', 'CERT_HAS_EXPIRED'])(
    'needs somebody: %s',
    (code) => {
      expect([isTemporary(coded(code)), isTemporary(within(coded(code)))]).toEqual([false, false])
    },
  )

  test('has its cure by its code, however deep that lies', () => {
    for (const [code, cure] of Object.entries(cures)) {
      expect([cureOf(coded(code)), cureOf(within(coded(code)))]).toEqual([cure, cure])
    }
  })

  test('has the cure of what lies highest, if there are several', () => {
    const above = Object.assign(within(coded('ECONNREFUSED')), { code: '57P03' })
    expect(cureOf(above)).toBe(cures['57P03'])
  })

  test.each([
    ['an error of another code', coded('XX000')],
    ['an error of no code', within(new Error('of below'))],
    ['what is no error', { code: 'ECONNREFUSED' }],
    ['nothing', undefined],
  ])('may be %s, of which nothing is known', (_what, error) => {
    expect([isTemporary(error), cureOf(error)]).toEqual([false, undefined])
  })
})

describe('the reason', () => {
  test('is what the deepest error says', () => {
    expect(reasonOf(within(coded('28P01', 'password authentication failed')))).toBe('password authentication failed')
    expect(reasonOf(new Error('alone'))).toBe('alone')
  })

  test('is a code, or a name, where nothing is said', () => {
    const tried = Object.assign(new AggregateError([coded('ECONNREFUSED')]), { code: 'ECONNREFUSED' })
    expect(reasonOf(within(tried))).toBe('ECONNREFUSED')
    expect(reasonOf(within(new AggregateError([])))).toBe('AggregateError')
  })
})
