import { expect, test } from 'vitest'
import type { NewAuditEntry } from '../../../src/inbox/audit-log.ts'
import { auditEntries, deleteOldEntries, recordAction } from '../../../src/postgres/metadata/audit-log.ts'
import { databases } from '../databases.ts'
import { createTables } from '../inbox.ts'

const server = databases('fsync=off')

const day = 24 * 60 * 60 * 1000
const now = 1000 * day

const entryAt = (at: number): NewAuditEntry => ({ key: `at ${at}`, at, action: 'login', access: 'token', target: {} })

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
