import { expect, test } from 'vitest'
import type { LoggedAttempt } from '../../../src/github/delivery-log.ts'
import { LogCursor } from '../../../src/github/polling/log-cursor.ts'
import { openInbox } from '../../inbox/stores.ts'

const namespace = 'https://api.github.com'
const path = '/repos/acme/shop/hooks/1/deliveries'
const key = `polling cursor of ${path} (${namespace})`

const attempt = (id: number, deliveredAt: number, more: Partial<LoggedAttempt> = {}): LoggedAttempt => ({
  ...{ id: String(id), guid: `guid-${id}`, deliveredAt, event: 'push', action: undefined, redelivery: true },
  ...{ status: 'OK', statusCode: 200, ok: true },
  ...more,
})

test('a cursor remembers redeliveries and attempts without a GUID, and no others', async () => {
  const inbox = openInbox()
  const cursor = await LogCursor.load(inbox, namespace, path)
  const attempts = [
    attempt(1, 1000),
    attempt(2, 1000, { redelivery: false, guid: 'unknown-2' }),
    attempt(3, 1000, { redelivery: false }),
  ]
  for (const one of attempts) cursor.add(one)
  await cursor.save(0)
  const loaded = await LogCursor.load(inbox, namespace, path)
  expect(attempts.map((one) => loaded.has(one))).toEqual([true, true, false])
})

test('a cursor with too many redeliveries forgets the oldest, and takes older ones for read', async () => {
  const inbox = openInbox()
  const cursor = await LogCursor.load(inbox, namespace, path)
  for (let id = 12_000; id > 0; id--) cursor.add(attempt(id, id * 1000))
  await cursor.save(0)
  const loaded = await LogCursor.load(inbox, namespace, path)
  expect([1, 2000, 2001, 12_000].map((id) => loaded.has(attempt(id, id * 1000)))).toEqual(Array(4).fill(true))
  expect(loaded.has(attempt(12_001, 12_001_000))).toBe(false)
  expect(JSON.parse((await inbox.getValue(key)) ?? '').seen).toHaveLength(10_000)
})
