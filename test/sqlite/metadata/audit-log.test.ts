import { expect, test } from 'vitest'
import type { NewAuditEntry } from '../../../src/inbox/audit-log.ts'
import { Engine } from '../engine.ts'

const day = 24 * 60 * 60 * 1000
const now = 1000 * day

const entryAt = (at: number): NewAuditEntry => ({ key: `at ${at}`, at, action: 'login', access: 'token', target: {} })

test('pruning deletes entries that are older than `auditRetention`, and the oldest above `auditEntries`', () => {
  const engine = new Engine(undefined, { auditRetention: 10 * day, auditEntries: 3 })
  for (const age of [12, 11, 9, 8, 7, 6]) {
    engine.write('recordAction', entryAt(now - age * day), { count: 1 })
  }
  const ages = () => engine.read('auditEntries', {}).entries.map(({ at }) => (now - at) / day)
  expect(ages()).toEqual([6, 7, 8, 9, 11, 12])
  engine.maintenance.prune(now)
  expect(ages()).toEqual([6, 7, 8])
  engine.maintenance.prune(now + 3.5 * day)
  expect(ages()).toEqual([6])
})
