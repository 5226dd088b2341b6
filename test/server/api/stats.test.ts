import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { storeIn } from '../../inbox/stores.ts'
import { openAdmin } from '../administered.ts'

const { version } = JSON.parse(readFileSync('package.json', 'utf8'))

test('the inbox and the process', async () => {
  const admin = await openAdmin({ role: 'receiver' })
  const receivedAt = Date.now() - 5000
  await storeIn(admin.inbox, {}, { receivedAt })
  const { status, json } = await admin.get('/api/stats')
  expect(status).toBe(200)
  expect(json).toMatchObject({ oldestUnfinished: receivedAt, paused: [], process: { version, role: 'receiver' } })
  expect(json.states).toEqual({ pending: 1, running: 0, waiting: 0, dead: 0, discarded: 0, done: 0, ignored: 0 })
  for (const number of [json.size, json.process.uptime, json.process.memory.rss, json.process.memory.heapUsed]) {
    expect(number).toSatisfy((value: number) => Number.isInteger(value) && value > 0)
  }
})

test('a role that nobody gave, and an oldest delivery that is not there, are left out', async () => {
  const { json } = await (await openAdmin()).get('/api/stats')
  expect(json).not.toHaveProperty('oldestUnfinished')
  expect(json.process).not.toHaveProperty('role')
})
