import { expect, test } from 'vitest'
import { Sessions, sessionAge, type Tokens } from '../../../src/server/auth/sessions.ts'
import { openInbox } from '../../inbox/stores.ts'

const tokens = { token: 'to-do-everything', readOnlyToken: 'to-look-at-everything' }
const operator = { readOnly: false }
const now = 1_769_860_800_000

const sessionsOf = (given: Tokens = tokens, inbox = openInbox()): Sessions => new Sessions(given, inbox)

test('a session expires', async () => {
  const sessions = sessionsOf()
  const cookie = sessions.begin(operator, now)
  const end = now + sessionAge * 1000
  expect(await sessions.visitorOf(cookie, end - 1)).toEqual({ readOnly: false, expiresAt: end })
  expect(await sessions.visitorOf(cookie, end)).toBeUndefined()
})

test('a session ends when its own token changes, but not when the other token does', async () => {
  const inbox = openInbox()
  const sessions = sessionsOf(tokens, inbox)
  const [toDo, toLook] = [sessions.begin(operator, now), sessions.begin({ readOnly: true }, now)]
  const found = async (changed: object) => {
    const later = sessionsOf({ ...tokens, ...changed }, inbox)
    return [(await later.visitorOf(toDo, now))?.readOnly, (await later.visitorOf(toLook, now))?.readOnly]
  }
  expect(await found({})).toEqual([false, true])
  expect(await found({ token: 'another' })).toEqual([undefined, true])
  expect(await found({ readOnlyToken: 'another' })).toEqual([false, undefined])
  expect(await found({ readOnlyToken: undefined })).toEqual([false, undefined])
})

test('a cookie of one role is not valid for the other, even if a token is empty', async () => {
  const [, ...rest] = sessionsOf().begin(operator, now).split('.')
  expect(await sessionsOf().visitorOf(['read', ...rest].join('.'), now)).toBeUndefined()
  const withoutReaders = sessionsOf({ token: 'to-do-everything' })
  expect(() => withoutReaders.begin({ readOnly: true }, now)).toThrow('No key signs sessions of the role read')
  const empty = sessionsOf({ token: 'to-do-everything', readOnlyToken: '' })
  expect(await withoutReaders.visitorOf(empty.begin({ readOnly: true }, now), now)).toBeUndefined()
  const person = { readOnly: false, person: 'mona' }
  expect(() => sessionsOf().begin(person, now)).toThrow('No key signs sessions of the role operator')
})

test('a session that was logged out stays invalid after a restart, and other sessions stay valid', async () => {
  const inbox = openInbox()
  const before = sessionsOf(tokens, inbox)
  const [ended, other] = [before.begin(operator, now), before.begin(operator, now)]
  await before.end(ended, now)
  const after = sessionsOf(tokens, inbox)
  expect(await after.visitorOf(ended, now)).toBeUndefined()
  expect(await after.visitorOf(other, now)).toMatchObject(operator)
})

test('a forged cookie is not added to the revoked sessions', async () => {
  const inbox = openInbox()
  const sessions = sessionsOf(tokens, inbox)
  const [forged, expired] = [`${sessions.begin(operator, now)}x`, sessions.begin(operator, now - sessionAge * 1000)]
  for (const cookie of [forged, expired, '', undefined]) await sessions.end(cookie, now)
  expect(await inbox.getValue('revoked sessions')).toBeUndefined()
})

test('any number of logouts of read-only visitors revokes no session of an operator', async () => {
  const inbox = openInbox()
  const sessions = sessionsOf(tokens, inbox)
  const ofOperator = sessions.begin(operator, now)
  const [ended, other] = [sessions.begin({ readOnly: true }, now), sessions.begin({ readOnly: true }, now)]
  const full = Array.from({ length: 10_000 }, (_, index) => ({ nonce: `${index}`, end: now + sessionAge * 1000 }))
  await inbox.setValue('revoked read-only sessions', JSON.stringify({ since: 0, ended: full }))
  await sessions.end(ended, now)
  const visitors = [ofOperator, ended, other].map((cookie) => sessions.visitorOf(cookie, now + 5000))
  expect((await Promise.all(visitors)).map((visitor) => visitor?.readOnly)).toEqual([false, undefined, undefined])
})
