import { readFileSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Hooks } from '../../../src/hooks.ts'
import type { Count, Measure } from '../../../src/inbox/counts.ts'
import { minute } from '../../../src/runtime/units.ts'
import { LocalGitHub } from '../../../src/testing/index.ts'
import { storeIn } from '../../inbox/stores.ts'
import { openAdmin, readOnlyToken, token } from '../administered.ts'

const { version } = JSON.parse(readFileSync('package.json', 'utf8'))

test('shows the inbox and the process', async () => {
  const admin = await openAdmin({ role: 'receiver' })
  const receivedAt = Date.now() - 5000
  await storeIn(admin.inbox, {}, { receivedAt })
  const { status, json } = await admin.get('/api/v1/stats')
  expect(status).toBe(200)
  expect(json).toMatchObject({ oldestUnfinished: receivedAt, paused: [], process: { version, role: 'receiver' } })
  expect(json.recoverSince).toBe(await admin.inbox.createdAt())
  expect(json.states).toEqual({ pending: 1, running: 0, retrying: 0, dead: 0, discarded: 0, done: 0, ignored: 0 })
  for (const number of [json.size, json.process.uptime, json.process.memory.rss, json.process.memory.heapUsed]) {
    expect(number).toSatisfy((value: number) => Number.isInteger(value) && value > 0)
  }
})

test('leaves out the role and the oldest unfinished delivery if they do not exist', async () => {
  const { json } = await (await openAdmin()).get('/api/v1/stats')
  expect(json).not.toHaveProperty('oldestUnfinished')
  expect(json.process).not.toHaveProperty('role')
})

describe('the series', () => {
  const now = Date.now()

  test('has a count per step, and the last step has not ended', async () => {
    const admin = await openAdmin()
    const count = (measure: Measure, name: string, outcome: string, ago: number, count: number) => {
      return { at: now - ago, measure, name, outcome, count }
    }
    await admin.inbox.addCounts([
      count('received', 'push', 'stored', 0, 3),
      count('received', 'push', 'stored', 30 * minute, 2),
      count('received', 'push', 'duplicate', 0, 1),
      count('received', 'push', 'stored', 90 * minute, 4),
      count('attempts', 'deploy', 'failed', 0, 5),
      count('rejected', 'wrong_signature', '', 0, 6),
      count('secrets', '1', '', 0, 7),
      count('secrets', '1', '', -120 * minute, 8), // by a clock that is ahead
    ])
    const seriesOf = async (window: string) => (await admin.get(`/api/v1/stats?window=${window}`)).json.series
    const hour = await seriesOf('1h')
    expect(hour.step).toBe(minute)
    expect(hour.since % minute).toBe(0)
    const [stored, duplicate] = hour.received
    expect(hour.received).toMatchObject([
      { event: 'push', outcome: 'stored' },
      { event: 'push', outcome: 'duplicate' },
    ])
    expect(stored.counts).toHaveLength(60)
    const at = (ago: number) => Math.floor((now - ago - hour.since) / minute)
    expect([stored.counts[at(0)], stored.counts[at(30 * minute)]]).toEqual([3, 2])
    const sum = (counts: number[]) => counts.reduce((all, one) => all + one, 0)
    expect([sum(stored.counts), sum(duplicate.counts)]).toEqual([5, 1])
    expect(hour.attempts).toMatchObject([{ handler: 'deploy', outcome: 'failed' }])
    expect(hour.rejected).toMatchObject([{ code: 'wrong_signature' }])
    expect(hour.secrets).toEqual([{ index: 1, count: 7 }])
    for (const [window, steps] of [
      ['24h', 96],
      ['7d', 168],
    ] as const) {
      const series = await seriesOf(window)
      const counts: number[] = series.received.find(({ outcome }: { outcome: string }) => outcome === 'stored').counts
      expect([counts.length, sum(counts)], window).toEqual([steps, 9])
    }
  })

  test('has the percentiles of the answer times', async () => {
    const admin = await openAdmin()
    const answers = (name: string, count: number, ago = 0): Count => {
      return { at: now - ago, measure: 'answers', name, outcome: '', count }
    }
    expect((await admin.get('/api/v1/stats')).json.series.latency).toBeNull()
    await admin.inbox.addCounts([answers('12', 4), answers('1.5', 94), answers('110', 2), answers('3', 1, 10 * minute)])
    const { latency, latencies, since } = (await admin.get('/api/v1/stats')).json.series
    expect(latency).toEqual({ p50: 1.5, p95: 12, p99: 110 })
    expect(latencies).toHaveLength(60)
    expect(latencies[Math.floor((now - 10 * minute - since) / minute)]).toEqual({ p50: 3, p95: 3, p99: 3 })
    expect(latencies.filter((one: object | null) => one !== null)).toHaveLength(2)
  })

  test('rejects an unknown window', async () => {
    const { status, json } = await (await openAdmin()).get('/api/v1/stats?window=2h')
    expect([status, json.errors]).toEqual([400, [{ name: 'window', expected: 'one of 1h, 24h, 7d' }]])
  })
})

test('shows the status of the receiver', async () => {
  const github = await LocalGitHub.start({ hooks: ['127.0.0.0/8', '::1/128'] })
  onTestFinished(() => github.close())
  const receiver = new Hooks({ secret: 's', apiUrl: github.url }).mount()
  await receiver.ready()
  const admin = await openAdmin({
    receiver,
    publicUrl: 'http://127.0.0.1:8000/hooks',
    webhookUrl: 'https://hooks.example/',
  })
  const { receiver: shown } = (await admin.get('/api/v1/stats')).json
  expect(shown).toEqual({
    ...{ heldBytes: 0, heldLimit: 64 * 2 ** 20, origin: true, signature: true },
    ...{ url: 'http://127.0.0.1:8000/hooks', publicUrl: 'https://hooks.example/' },
    ranges: { count: 2, fetchedAt: expect.any(Number) },
  })
  expect(Math.abs(Date.now() - shown.ranges.fetchedAt)).toBeLessThan(minute)
})

test('shows readers no query of the public URL, which may contain a secret', async () => {
  const receiver = new Hooks({ secret: 's', validateIp: false }).mount()
  const admin = await openAdmin({ receiver, webhookUrl: 'https://hooks.example/hooks?key=secret' })
  const shownTo = async (given: string) => {
    const { json } = await admin.ask('/api/v1/stats', { headers: { authorization: `Bearer ${given}` } })
    return json.receiver.publicUrl
  }
  expect(await shownTo(token)).toBe('https://hooks.example/hooks?key=secret')
  expect(await shownTo(readOnlyToken)).toBe('https://hooks.example/hooks')
})

const rejection = {
  ...{ at: 1000, code: 'wrong_signature', status: 400, reason: 'white space', source: '/hooks', address: '192.0.2.1' },
  ...{ event: '<script>', guid: undefined, headers: { 'user-agent': '<script>alert(1)</script>' } },
}

test('lists the newest rejected requests, and the number of all rejected requests by code', async () => {
  const admin = await openAdmin()
  await admin.inbox.recordRejections([rejection, { ...rejection, at: 2000 }])
  await admin.inbox.addCounts([{ at: 1000, measure: 'rejected', name: 'wrong_signature', outcome: '', count: 5 }])
  const { status, headers, json } = await admin.get('/api/v1/rejections')
  expect([status, headers['content-type']]).toEqual([200, 'application/json'])
  expect(json.counts).toEqual({ wrong_signature: 5 })
  expect(json.latest.map(({ at }: { at: number }) => at)).toEqual([2000, 1000])
  const { guid: _, ...known } = rejection
  expect(json.latest[1]).toEqual(known)
})

test('lists the processes of the inbox, also in the statistics', async () => {
  const admin = await openAdmin()
  expect((await admin.get('/api/v1/processes')).json).toEqual({ processes: [] })
  const [worker, receiver] = [
    { id: 'b', role: 'worker', version: '1.2.3', startedAt: 2000 } as const,
    { id: 'a', role: 'receiver', version: '1.2.4', startedAt: 1000 } as const,
  ]
  await admin.inbox.heartbeat(worker)
  await admin.inbox.heartbeat(receiver)
  const { status, json } = await admin.get('/api/v1/processes')
  expect(status).toBe(200)
  const where = { host: expect.stringMatching(/./), pid: process.pid, seenAt: expect.any(Number) }
  expect(json).toEqual({
    processes: [
      { ...receiver, ...where },
      { ...worker, ...where },
    ],
  })
  expect((await admin.get('/api/v1/stats')).json.processes).toEqual(json.processes)
})
