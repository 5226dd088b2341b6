import { expect, test } from 'vitest'
import { Sessions, sessionAge } from '../../src/server/sessions.ts'

const tokens = { token: 'to-do-everything', readOnlyToken: 'to-look-at-everything' }
const operator = { readOnly: false }
const now = 1_769_860_800_000

test('a session ends by itself', () => {
  const sessions = new Sessions(tokens)
  const cookie = sessions.begin(operator, now)
  const end = now + sessionAge * 1000
  expect(sessions.visitorOf(cookie, end - 1)).toEqual({ readOnly: false, expiresAt: end })
  expect(sessions.visitorOf(cookie, end)).toBeUndefined()
})

test('a session ends when the token is changed that it was got with, and with no other', () => {
  const sessions = new Sessions(tokens)
  const [toDo, toLook] = [sessions.begin(operator, now), sessions.begin({ readOnly: true }, now)]
  const found = (changed: object) => {
    const later = new Sessions({ ...tokens, ...changed })
    return [toDo, toLook].map((cookie) => later.visitorOf(cookie, now)?.readOnly)
  }
  expect(found({})).toEqual([false, true])
  expect(found({ token: 'another' })).toEqual([undefined, true])
  expect(found({ readOnlyToken: 'another' })).toEqual([false, undefined])
  expect(found({ readOnlyToken: undefined })).toEqual([false, undefined])
})

test('no cookie of one role is one of the other, even where a token is empty', () => {
  const [, ...rest] = new Sessions(tokens).begin(operator, now).split('.')
  expect(new Sessions(tokens).visitorOf(['read', ...rest].join('.'), now)).toBeUndefined()
  const withoutReaders = new Sessions({ token: 'to-do-everything' })
  expect(withoutReaders.visitorOf(withoutReaders.begin({ readOnly: true }, now), now)).toBeUndefined()
})

test('so many are logged out that all are ended, and none that was comes back', () => {
  const sessions = new Sessions(tokens)
  const [first, other] = [sessions.begin(operator, now), sessions.begin(operator, now)]
  sessions.end(first, now)
  for (let index = 0; index < 9999; index++) sessions.end(sessions.begin(operator, now), now)
  expect([first, other].map((cookie) => sessions.visitorOf(cookie, now)?.readOnly)).toEqual([undefined, false])
  sessions.end(sessions.begin(operator, now), now)
  expect([first, other].map((cookie) => sessions.visitorOf(cookie, now))).toEqual([undefined, undefined])
  expect(sessions.visitorOf(sessions.begin(operator, now + 1), now + 1)).toMatchObject(operator)
})

test('those that were logged out and have ended since take no place', () => {
  const sessions = new Sessions(tokens)
  for (let index = 0; index < 10_000; index++) sessions.end(sessions.begin(operator, now), now)
  const later = now + sessionAge * 1000
  const other = sessions.begin(operator, later)
  sessions.end(sessions.begin(operator, later), later)
  expect(sessions.visitorOf(other, later)).toMatchObject(operator)
})
