import { expect, test } from 'vitest'
import type { NewAuditEntry } from '../../../src/inbox/audit-log.ts'
import { auditEntries, deleteOldEntries, recordAction } from '../../../src/postgres/metadata/audit-log.ts'
import { databases } from '../databases.ts'
import { createTables } from '../inbox.ts'

const server = databases()

const day = 24 * 60 * 60 * 1000
const now = 1000 * day

const entryAt = (at: number, action: NewAuditEntry['action'] = 'send'): NewAuditEntry => {
  return { key: `${action} at ${at}`, at, action, access: 'token', target: {} }
}

test('pruning deletes entries that are older than `auditRetention`, and the oldest above `auditEntries`', async () => {
  const database = await createTables(await server.create())
  try {
    for (const age of [12, 11, 9, 8, 7, 6]) {
      await database.transaction((transaction) => recordAction(transaction, entryAt(now - age * day), { count: 1 }))
    }
    const ages = async () => (await auditEntries(database, {})).entries.map(({ at }) => (now - at) / day)
    const prune = (at: number) => {
      const limits = { auditRetention: 10 * day, auditEntries: 3 }
      return database.transaction((transaction) => deleteOldEntries(transaction, limits, at))
    }
    expect(await ages()).toEqual([6, 7, 8, 9, 11, 12])
    await prune(now)
    expect(await ages()).toEqual([6, 7, 8])
    await prune(now + 3.5 * day)
    expect(await ages()).toEqual([6])
  } finally {
    await database.close()
  }
})

test('logins and logouts never displace a change, and a transaction deletes at most 1000 of them', async () => {
  const database = await createTables(await server.create())
  try {
    await database.transaction(async (transaction) => {
      for (let i = 0; i < 3; i++) await recordAction(transaction, entryAt(now + i), { count: 1 })
      for (let i = 0; i < 1203; i++) {
        await recordAction(transaction, entryAt(now + i, i % 2 === 0 ? 'login' : 'logout'), { count: 1 })
      }
    })
    const timesOf = async (action: NewAuditEntry['action']) => {
      return (await auditEntries(database, { action, limit: 500 })).entries.map(({ at }) => at - now)
    }
    const limits = { auditRetention: day, auditEntries: 3 }
    const prune = () => database.transaction((transaction) => deleteOldEntries(transaction, limits, now))
    expect([await prune(), await prune()]).toEqual([true, false])
    expect(await timesOf('send')).toEqual([2, 1, 0])
    expect([await timesOf('login'), await timesOf('logout')]).toEqual([[1202, 1200], [1201]])
  } finally {
    await database.close()
  }
})
