import { expect, test } from 'vitest'
import { openAdmin } from '../administered.ts'

test('the processes that share the inbox, also in the overview', async () => {
  const admin = await openAdmin()
  expect((await admin.get('/api/processes')).json).toEqual({ processes: [] })
  const [worker, receiver] = [
    { id: 'b', role: 'worker', version: '1.2.3', startedAt: 2000 } as const,
    { id: 'a', role: 'receiver', version: '1.2.4', startedAt: 1000 } as const,
  ]
  await admin.inbox.heartbeat(worker)
  await admin.inbox.heartbeat(receiver)
  const { status, json } = await admin.get('/api/processes')
  expect(status).toBe(200)
  const where = { host: expect.stringMatching(/./), pid: process.pid, seenAt: expect.any(Number) }
  expect(json).toEqual({
    processes: [
      { ...receiver, ...where },
      { ...worker, ...where },
    ],
  })
  expect((await admin.get('/api/stats')).json.processes).toEqual(json.processes)
})
