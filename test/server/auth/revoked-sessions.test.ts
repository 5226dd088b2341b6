import { describe, expect, test } from 'vitest'
import { type RevocationStore, RevokedSessions } from '../../../src/server/auth/revoked-sessions.ts'
import { inboxFile, openInbox, withMembers } from '../../inbox/stores.ts'

const now = 1_769_860_800_000
const lifetime = 604_800_000
const key = 'revoked sessions'

const revokedSessions = (store: RevocationStore): RevokedSessions => new RevokedSessions(store, key)

const session = (nonce: string, begunAt = now) => ({ nonce, end: begunAt + lifetime })

/** Whether each session is revoked. */
async function revokedBy(revoked: RevokedSessions, sessions: readonly ReturnType<typeof session>[], at = now) {
  const found: boolean[] = []
  for (const one of sessions) found.push(await revoked.has(one, lifetime, at))
  return found
}

describe('a session that was logged out', () => {
  test('stays revoked after a restart', async () => {
    const file = inboxFile()
    const before = openInbox(file)
    await revokedSessions(before).add(session('a'), now)
    await before.close()
    expect(await revokedBy(revokedSessions(openInbox(file)), [session('a'), session('b')])).toEqual([true, false])
  })

  test('is revoked immediately on the server of the logout, and within 5 s on other servers of the inbox', async () => {
    const file = inboxFile()
    const [here, there] = [revokedSessions(openInbox(file)), revokedSessions(openInbox(file))]
    for (const revoked of [here, there]) expect(await revokedBy(revoked, [session('a')])).toEqual([false])
    await here.add(session('a'), now)
    expect(await revokedBy(here, [session('a')])).toEqual([true])
    expect(await revokedBy(there, [session('a')], now + 5000)).toEqual([true])
  })

  test('is reported as new to one of several logouts, also to those of other servers', async () => {
    const file = inboxFile()
    const servers = [revokedSessions(openInbox(file)), revokedSessions(openInbox(file))]
    const logouts = [0, 1, 0, 1, 0].map((server) => servers[server]?.add(session('a'), now))
    const isNew = await Promise.all(logouts)
    expect(isNew.filter(Boolean)).toHaveLength(1)
    expect(await servers[0]?.add(session('a'), now)).toBe(false)
    expect(await servers[0]?.add(session('b'), now)).toBe(true)
  })

  test('is not lost when several servers log out at the same time', async () => {
    const file = inboxFile()
    const servers = [1, 2, 3].map(() => revokedSessions(openInbox(file)))
    const names = Array.from({ length: 30 }, (_, index) => `session ${index}`)
    await Promise.all(names.map((name, index) => servers[index % 3]?.add(session(name), now)))
    const later = revokedSessions(openInbox(file))
    expect(
      await revokedBy(
        later,
        names.map((name) => session(name)),
      ),
    ).toEqual(names.map(() => true))
  })

  test('shares its write with logouts that arrive during the write before', async () => {
    const inbox = openInbox()
    let writes = 0
    const counted = withMembers(inbox, {
      compareAndSet(...given) {
        writes++
        return inbox.compareAndSet(...given)
      },
    })
    const sessions = Array.from({ length: 100 }, (_, index) => session(`session ${index}`))
    const revoked = revokedSessions(counted)
    const first = revoked.add(sessions[0] as (typeof sessions)[0], now)
    await new Promise(setImmediate)
    await Promise.all([first, ...sessions.slice(1).map((one) => revoked.add(one, now))])
    expect(writes).toBe(2)
    for (const one of [revoked, revokedSessions(inbox)]) {
      expect(await revokedBy(one, sessions)).toEqual(sessions.map(() => true))
    }
  })

  test('stays revoked if a read that began before the logout ends after it', async () => {
    const inbox = openInbox()
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    let reads = 0
    const slow = withMembers(inbox, {
      async getValue(name) {
        const text = await inbox.getValue(name)
        if (++reads === 1) await released
        return text
      },
    })
    const revoked = revokedSessions(slow)
    const reading = revoked.has(session('b'), lifetime, now)
    await revoked.add(session('a'), now)
    release()
    expect(await reading).toBe(false)
    expect(await revokedBy(revoked, [session('a')])).toEqual([true])
  })
})

describe('an inbox that fails', () => {
  const failing = () => Promise.reject(new Error('the database is unavailable'))

  test.each(['getValue', 'compareAndSet'] as const)(
    'in %s fails the logout, and the session stays valid',
    async (member) => {
      const inbox = openInbox()
      const revoked = revokedSessions(withMembers(inbox, { [member]: failing }))
      await expect(revoked.add(session('a'), now)).rejects.toThrow('the database is unavailable')
      expect(await revokedBy(revokedSessions(inbox), [session('a')])).toEqual([false])
    },
  )

  test('authorizes no session that may be revoked', async () => {
    const revoked = revokedSessions(withMembers(openInbox(), { getValue: failing }))
    await expect(revoked.has(session('a'), lifetime, now)).rejects.toThrow('the database is unavailable')
  })
})

describe('the list of revoked sessions', () => {
  const full = Array.from({ length: 10_000 }, (_, index) => session(`session ${index}`))

  test('is emptied when it is full, and all earlier sessions are revoked', async () => {
    const inbox = openInbox()
    await inbox.setValue(key, JSON.stringify({ since: 0, ended: full.slice(1) }))
    const revoked = revokedSessions(inbox)
    const [first, second, other] = [session('first'), session('second'), session('other')]
    await revoked.add(first, now)
    expect(await revokedBy(revoked, [first, second, other])).toEqual([true, false, false])
    await revoked.add(second, now)
    const all = [first, second, other, full[1] as typeof first, session('new', now + 1)]
    for (const one of [revoked, revokedSessions(inbox)]) {
      expect(await revokedBy(one, all, now + 1)).toEqual([true, true, true, true, false])
    }
    expect(JSON.parse((await inbox.getValue(key)) ?? '')).toEqual({ since: now + 1, ended: [second] })
  })

  test('drops expired sessions', async () => {
    const inbox = openInbox()
    await inbox.setValue(key, JSON.stringify({ since: 0, ended: full }))
    const later = now + lifetime
    const revoked = revokedSessions(inbox)
    await revoked.add(session('a', later), later)
    expect(await revokedBy(revoked, [session('a', later), session('b', later)], later)).toEqual([true, false])
    expect(JSON.parse((await inbox.getValue(key)) ?? '').ended).toEqual([session('a', later)])
  })
})
