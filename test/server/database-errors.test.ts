import { describe, expect, test } from 'vitest'
import { cureOf, cures, isTemporary, reasonOf, temporary } from '../../src/server/database-errors.ts'

/** An error with a code, as `pg`, the system and TLS throw it. */
const coded = (code: string, message = 'of below'): Error => Object.assign(new Error(message), { code })

/** The error inside two others, as if connecting and then opening the inbox had wrapped it. */
const within = (cause: Error): Error =>
  new Error('Cannot open the inbox', { cause: new Error('no connection', { cause }) })

describe('an error that prevents PostgreSQL from being opened', () => {
  test.each([...temporary])('may be temporary, and has a fix: %s', (code) => {
    expect([isTemporary(coded(code)), isTemporary(within(coded(code)))]).toEqual([true, true])
    expect(cureOf(coded(code))).toBeTypeOf('string')
  })

  test.each(['53300', '55P03'])('may be temporary, because other programs cause it: %s', (code) => {
    expect(isTemporary(within(coded(code)))).toBe(true)
  })

  test('may be temporary if the server closes a new connection, for which pg sets no code', () => {
    const error = within(new Error('Connection terminated unexpectedly'))
    expect([isTemporary(error), cureOf(error)]).toEqual([true, cures.ECONNRESET])
  })

  test.each(['ENOTFOUND', 'ENOENT', '28P01', '3D000', '42501', 'CERT_HAS_EXPIRED'])('needs an operator: %s', (code) => {
    expect([isTemporary(coded(code)), isTemporary(within(coded(code)))]).toEqual([false, false])
  })

  test('has a fix for its code, at any depth of causes', () => {
    for (const [code, cure] of Object.entries(cures)) {
      expect([cureOf(coded(code)), cureOf(within(coded(code)))]).toEqual([cure, cure])
    }
  })

  test('has the fix of the outermost code, if there are several', () => {
    const above = Object.assign(within(coded('ECONNREFUSED')), { code: '57P03' })
    expect(cureOf(above)).toBe(cures['57P03'])
  })

  test.each([
    ['an error with another code', coded('XX000')],
    ['an error without a code', within(new Error('of below'))],
    ['something that is not an Error', { code: 'ECONNREFUSED' }],
    ['nothing', undefined],
  ])('may be %s, which has no fix', (_what, error) => {
    expect([isTemporary(error), cureOf(error)]).toEqual([false, undefined])
  })
})

test('an error whose causes form a cycle has a reason and a fix', () => {
  const [outer, inner] = [new Error('outer'), coded('3D000', 'inner')]
  outer.cause = inner
  inner.cause = outer
  expect([reasonOf(outer), cureOf(outer), isTemporary(outer)]).toEqual(['inner', cures['3D000'], false])
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
