import { expect, test } from 'vitest'
import type { Actor } from '../../src/inbox/audit-log.ts'
import { newAuditEntry } from '../../src/inbox/new-audit-entry.ts'

const ada: Actor = { access: 'github', person: 'ada' }
const noon = Date.UTC(2026, 0, 31, 12)
const minute = 60_000

test('the key is the same for the same operation, operator, address, action, target and hour', () => {
  const keyOf = (
    ...[actor = ada, action = 'retry', target = { search: 'a' }, id = 'x', now = noon]: Partial<
      Parameters<typeof newAuditEntry>
    >
  ) => newAuditEntry(actor, action, target, id, now).key
  const key = keyOf()
  expect(keyOf(ada, 'retry', { search: 'a' }, 'x', noon + 59 * minute)).toBe(key)
  expect(keyOf(ada, 'retry', { search: 'a' }, 'x', noon + 60 * minute)).not.toBe(key)
  expect(keyOf(ada, 'retry', { search: 'a' }, 'y')).not.toBe(key)
  expect(keyOf(ada, 'retry', { search: 'b' })).not.toBe(key)
  expect(keyOf(ada, 'discard')).not.toBe(key)
  expect(keyOf({ ...ada, person: 'bob' })).not.toBe(key)
  expect(keyOf({ ...ada, address: '10.1.2.3' })).not.toBe(key)
  expect(newAuditEntry(ada, 'retry').key).not.toBe(newAuditEntry(ada, 'retry').key)
})

test('an entry has bounded texts, and no members without a value', () => {
  const webhooks = Array.from({ length: 200 }, (_, index) => `acme/${index}`)
  const target = { search: 'x'.repeat(5000), reason: undefined, webhooks, failureGroup: 7 }
  const actor = { access: 'command line', person: 'p'.repeat(5000), address: 'a'.repeat(5000) } as const
  const entry = newAuditEntry(actor, 'discard', target)
  expect(entry.target).toEqual({ search: `${'x'.repeat(999)}…`, webhooks: webhooks.slice(0, 100), failureGroup: 7 })
  expect([entry.person?.length, entry.address?.length]).toEqual([1000, 1000])
})

test('the logins of one operator, address and hour become one entry, and so do the logouts', () => {
  const keyOf = (action: 'login' | 'logout', address = '10.1.2.3') => {
    return newAuditEntry({ ...ada, address }, action, {}, undefined, noon).key
  }
  expect(keyOf('login')).toBe(keyOf('login'))
  expect(keyOf('logout')).toBe(keyOf('logout'))
  expect(new Set([keyOf('login'), keyOf('logout'), keyOf('login', '10.1.2.4')]).size).toBe(3)
})
