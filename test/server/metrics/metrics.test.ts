import { channel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { request } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import perf_hooks from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Hooks } from '../../../src/hooks.ts'
import { version } from '../../../src/runtime/platform.ts'
import { Metrics } from '../../../src/server/metrics/metrics.ts'
import { diagnostics } from '../../../src/telemetry/diagnostics.ts'
import { due, TestWorker } from '../../../src/testing/inbox-contract/test-worker.ts'
import { signedRequest } from '../../../src/testing/index.ts'
import { eventually, inboxFile, openInbox, storeIn } from '../../inbox/stores.ts'
import { inboxLimit, watchEventful } from '../eventful.ts'
import { secrets, type Watched, watch } from '../watched.ts'

const anyOrigin = { validateIp: 'false' }
const hooksOf = () => new Hooks({ secret: 's', logger: false })

/** The values of a metric by their labels. For a histogram, the number of observations. */
async function seriesOf(watched: Watched, metric: string): Promise<Record<string, number>> {
  const { samples = [] } = (await watched.scrape()).get(metric) ?? {}
  const counted = samples.filter(({ name }) => !name.endsWith('_bucket') && !name.endsWith('_sum'))
  return Object.fromEntries(counted.map(({ labels, value }) => [Object.values(labels).join(' '), value]))
}

describe('after a run', () => {
  test('the counters show what happened, and how often', async () => {
    const watched = await watchEventful()
    const counted = (name: string) => seriesOf(watched, `hookserver_${name}`)
    expect(await counted('received_deliveries_total')).toEqual({
      ...{ 'push stored': 4, 'push duplicate': 2, 'watch stored': 1 },
      ...{ 'issues stored': 1, 'issues rearmed': 1, 'fork stored': 1, 'star stored': 1 },
    })
    expect(await counted('conflicting_deliveries_total')).toEqual({ push: 1 })
    expect(await counted('signed_deliveries_total')).toEqual({ 0: 10, 1: 1 })
    expect(await counted('rejected_requests_total')).toEqual({ wrong_signature: 3 })
    expect(await counted('reply_duration_seconds')).toEqual({ 202: 9, 200: 2, 400: 3, 404: 1, 405: 1 })
    const issues = { 'hook:issues failed': 2, 'hook:issues dead': 2 } // twice: the delivery was rearmed
    const attempts = { 'hook:push succeeded': 4, ...issues, 'hook:fork discarded': 1, 'hook:watch failed': 1 }
    expect(await counted('attempt_duration_seconds')).toEqual(attempts)
    expect(await counted('dead_deliveries_total')).toEqual({ issues: 2 })
    expect(await counted('commit_duration_seconds')).toEqual({ '': 11 }) // sent one after the other, so each had its own commit
    expect(await counted('commit_deliveries')).toEqual({ '': 11 })
  })

  test('the gauges show the state of the inbox', async () => {
    const watched = await watchEventful()
    const gauge = (name: string) => watched.value(`hookserver_${name}`)
    expect(await seriesOf(watched, 'hookserver_inbox_deliveries')).toEqual({
      ...{ pending: 0, running: 0, retrying: 1, dead: 1, discarded: 1, done: 4, ignored: 1 },
    })
    const aMoment = (timestamp: number) => Math.abs(Date.now() / 1000 - timestamp) < 3600
    expect(await gauge('oldest_unfinished_delivery_timestamp_seconds')).toSatisfy(aMoment)
    expect(await gauge('inbox_bytes')).toSatisfy((bytes: number) => bytes > 10_000 && bytes < inboxLimit)
    expect(await gauge('inbox_limit_bytes')).toBe(inboxLimit)
    expect(await gauge('github_ranges')).toBe(2)
    expect(await gauge('github_ranges_timestamp_seconds')).toSatisfy(aMoment)
    expect(await gauge('recovery_last_sweep_timestamp_seconds')).toSatisfy(aMoment)
    expect(await seriesOf(watched, 'hookserver_build_info')).toEqual({ [version]: 1 })
    expect(await gauge('body_memory_limit_bytes')).toBe(64 * 1024 * 1024)
  })

  test('the metrics of the process have the usual names', async () => {
    const watched = await watch(hooksOf(), anyOrigin)
    const cpu = () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6
    for (let looks = 0; looks < 2; looks++) {
      const before = cpu()
      const shown = await watched.value('process_cpu_seconds_total')
      expect(shown).toSatisfy((seconds: number) => seconds > before && seconds < cpu())
    }
    const start = await watched.value('process_start_time_seconds')
    expect(start).toBeCloseTo(Date.now() / 1000 - process.uptime(), 0)
    const { rss } = process.memoryUsage()
    expect(await watched.value('process_resident_memory_bytes')).toSatisfy((bytes: number) => bytes > rss / 10)
    for (const name of ['nodejs_heap_size_used_bytes', 'nodejs_external_memory_bytes']) {
      expect(await watched.value(name)).toBeGreaterThan(0)
    }
  })

  test('shows a blocked event loop', async () => {
    const watched = await watch(hooksOf(), anyOrigin)
    const lagOfBlocks = async () => {
      for (let blocks = 0; blocks < 2; blocks++) {
        for (const end = performance.now() + 60; performance.now() < end; );
        await setTimeout() // lets the timer that takes the samples run
      }
      return watched.value('nodejs_eventloop_lag_max_seconds')
    }
    // Samples are 20 ms apart, so a block of 60 ms delays one by at least 40 ms. On a busy machine, the scrape may
    // precede that sample.
    await expect.poll(lagOfBlocks).toBeGreaterThan(0.03)
    expect(await watched.value('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThanOrEqual(0)
  })
})

test('shows the memory that a receiver reserves for bodies', async () => {
  const watched = await watch(hooksOf(), anyOrigin)
  const { method, headers, body } = signedRequest('push', { secret: secrets[0] as string })
  const sending = request(watched.service.publicUrl as string, {
    method,
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
  })
  const answered = once(sending, 'response')
  sending.write(body.slice(0, 100))
  await eventually(async () => expect(await watched.value('hookserver_body_memory_bytes')).toBe(100))
  sending.end(body.slice(100))
  const [{ statusCode }] = await answered
  expect(statusCode).toBe(202)
  expect(await watched.value('hookserver_body_memory_bytes')).toBe(0)
})

test('counts a request whose sender disconnects before the reply as aborted', async () => {
  const watched = await watch(hooksOf(), anyOrigin)
  const { method, headers } = signedRequest('push', { secret: secrets[0] as string })
  const sending = request(watched.service.publicUrl as string, {
    method,
    headers: { ...headers, 'content-length': 1000 },
  })
  sending.on('error', () => undefined)
  sending.write('{')
  await eventually(async () => expect(await watched.value('hookserver_body_memory_bytes')).toBe(1))
  sending.destroy()
  await eventually(async () => {
    expect(await seriesOf(watched, 'hookserver_reply_duration_seconds')).toEqual({ aborted: 1 })
  })
})

test('one commit may store several deliveries', async () => {
  const watched = await watch(hooksOf(), { ...anyOrigin, role: 'receiver' })
  await Promise.all(Array.from({ length: 30 }, () => watched.deliver('push')))
  const commits = await watched.value('hookserver_commit_deliveries_count')
  expect(await watched.value('hookserver_commit_deliveries_sum')).toBe(30)
  expect(await watched.value('hookserver_commit_duration_seconds_count')).toBe(commits)
  expect(commits).toSatisfy((count: number) => count >= 1 && count <= 30)
})

describe('handlers', () => {
  test('have the time from the receipt of a delivery to their success', async () => {
    const watched = await watchEventful()
    expect(await seriesOf(watched, 'hookserver_completion_duration_seconds')).toEqual({ 'hook:push': 4 })
  })

  test('show how many of their tasks wait and run', async () => {
    const inbox = openInbox(inboxFile())
    const metrics = new Metrics(inbox)
    onTestFinished(() => metrics.close())
    const worker = await TestWorker.register(inbox, 'deploy')
    const receivedAt = 1_700_000_000_000
    await worker.match(await storeIn(inbox, {}), 'deploy')
    await worker.match(await storeIn(inbox, {}, { receivedAt }), due('deploy'))
    const lines = (await metrics.read('text/plain')).split('\n')
    expect(lines).toEqual(
      expect.arrayContaining([
        'hookserver_running_attempts{handler="deploy"} 1',
        'hookserver_waiting_tasks{handler="deploy"} 1',
        'hookserver_oldest_waiting_task_timestamp_seconds{handler="deploy"} 1700000000',
      ]),
    )
  })

  test('have labels of their own if they are among the first 500', async () => {
    const watched = await watch(hooksOf(), anyOrigin)
    const ended = { attempt: 1, outcome: 'succeeded', duration: 1, receivedAt: Date.now(), error: undefined }
    const delivery = { id: 1, guid: 'g', event: 'push', action: undefined, source: '/hooks' }
    for (let index = 0; index < 600; index++) {
      diagnostics.attempt?.publish({ ...delivery, ...ended, handler: `h${index}` })
    }
    const attempts = await seriesOf(watched, 'hookserver_attempt_duration_seconds')
    expect(Object.keys(attempts)).toHaveLength(501)
    expect(attempts['other succeeded']).toBe(100)
  })
})

describe('a metric without a value is not shown', () => {
  const absent = async (watched: Watched, ...names: string[]) => {
    const shown = await watched.scrape()
    for (const name of names) expect([name, shown.get(`hookserver_${name}`)?.samples]).toEqual([name, []])
  }

  test('the ranges if origins are not checked, and the limit of an inbox that has none', async () => {
    const watched = await watch(hooksOf(), anyOrigin)
    await absent(watched, 'github_ranges', 'github_ranges_timestamp_seconds', 'inbox_limit_bytes')
    expect(await watched.value('hookserver_body_memory_bytes')).toBe(0)
  })

  test('the time of the oldest unfinished delivery if all have ended', async () => {
    const watched = await watch(hooksOf(), anyOrigin)
    await absent(watched, 'oldest_unfinished_delivery_timestamp_seconds')
  })

  test('a rate limit of GitHub that has reset since the latest response', async () => {
    const metrics = new Metrics(openInbox())
    onTestFinished(() => metrics.close())
    const latest = { resource: 'core', limit: 5000, remaining: 3 }
    diagnostics.rateLimit?.publish({ ...latest, caller: 'old', resetAt: Date.now() - 1 })
    diagnostics.rateLimit?.publish({ ...latest, caller: 'new', resetAt: Date.now() + 3_600_000 })
    const callers = [
      ...(await metrics.read('text/plain')).matchAll(/^hookserver_github_rate_limit_\w+\{caller="(\w+)"/gm),
    ]
    expect(callers.map(([, caller]) => caller)).toEqual(['new', 'new'])
  })

  test('the time of ranges that were not needed yet', async () => {
    const watched = await watch(hooksOf(), { apiUrl: 'http://127.0.0.1:9' })
    await absent(watched, 'github_ranges_timestamp_seconds')
    expect(await watched.value('hookserver_github_ranges')).toBe(0)
  })

  test('the metrics of a receiver, in the role worker', async () => {
    const watched = await watch(hooksOf(), { ...anyOrigin, role: 'worker' })
    await absent(watched, 'github_ranges', 'github_ranges_timestamp_seconds')
    await absent(watched, 'body_memory_bytes', 'body_memory_limit_bytes')
  })
})

test('untrusted event names add at most 200 series', async () => {
  const watched = await watch(undefined, { ...anyOrigin, role: 'receiver' })
  for (let event = 0; event < 205; event++) {
    await watched.deliver('ping', { headers: { 'x-github-event': `made-up-${event}` } }) // the name itself would be a warning
  }
  const series = await seriesOf(watched, 'hookserver_received_deliveries_total')
  expect(Object.keys(series)).toHaveLength(201)
  expect(series['other stored']).toBe(5)
})

test('a closed server removes its subscriptions and observes no event loop', async () => {
  const { monitorEventLoopDelay } = perf_hooks
  const looks: ReturnType<typeof monitorEventLoopDelay>[] = []
  perf_hooks.monitorEventLoopDelay = (options) => {
    const look = monitorEventLoopDelay(options)
    looks.push(look)
    return look
  }
  syncBuiltinESMExports()
  onTestFinished(() => {
    perf_hooks.monitorEventLoopDelay = monitorEventLoopDelay
    syncBuiltinESMExports()
  })
  const listenedTo = () => Object.keys(diagnostics).filter((name) => channel(`hookserver:${name}`).hasSubscribers)
  const watched = await watch(hooksOf(), anyOrigin)
  expect(listenedTo()).toContain('stored')
  await watched.scrape()
  await watched.service.close()
  expect(listenedTo()).toEqual([])
  expect(looks.map((look) => look.disable())).toEqual([false]) // false: it was already disabled
})
