import { expect, test } from 'vitest'
import type { NewAuditEntry } from '../../../src/inbox/audit-log.ts'
import { Engine } from '../engine.ts'

const day = 24 * 60 * 60 * 1000
const now = 1000 * day

const entryAt = (at: number, action: NewAuditEntry['action'] = 'send'): NewAuditEntry => {
  return { key: `${action} at ${at}`, at, action, access: 'token', target: {} }
}

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

test('logins and logouts never displace a change, and a transaction deletes at most 1000 of them', () => {
  const engine = new Engine(undefined, { auditEntries: 3 })
  for (let i = 0; i < 3; i++) engine.write('recordAction', entryAt(now + i), { count: 1 })
  for (let i = 0; i < 1203; i++) {
    engine.write('recordAction', entryAt(now + i, i % 2 === 0 ? 'login' : 'logout'), { count: 1 })
  }
  const timesOf = (action: NewAuditEntry['action']) => {
    return engine.read('auditEntries', { action, limit: 500 }).entries.map(({ at }) => at - now)
  }
  engine.maintenance.prune(now)
  expect(timesOf('login').length + timesOf('logout').length).toBe(203)
  engine.maintenance.prune(now)
  expect([timesOf('send'), timesOf('login'), timesOf('logout')]).toEqual([[2, 1, 0], [1202, 1200], [1201]])
})
