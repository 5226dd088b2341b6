import { readFileSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { countByState } from '../../../src/github/recovery/sweeper.ts'
import { Hooks } from '../../../src/hooks.ts'
import type { Measure } from '../../../src/inbox/counts.ts'
import type { MissedDeliveryState } from '../../../src/inbox/missed-deliveries.ts'
import type { WorkerProblem } from '../../../src/inbox/processes.ts'
import { Stats, type Warning } from '../../../src/server/api/schemas/responses.ts'
import { TestWorker } from '../../../src/testing/inbox-contract/test-worker.ts'
import { LocalGitHub } from '../../../src/testing/index.ts'
import { storeIn } from '../../inbox/stores.ts'
import { type Admin, openAdmin } from '../administered.ts'
import { adminToken, watch } from '../watched.ts'
import { handle } from './handled.ts'

const warningsOf = async (admin: Admin): Promise<Warning[]> => (await admin.get('/api/v1/stats')).json.warnings

const codesOf = async (admin: Admin): Promise<string[]> => (await warningsOf(admin)).map(({ code }) => code)

function count(admin: Admin, measure: Measure, name: string, times = 1, outcome = ''): Promise<void> {
  return admin.inbox.addCounts([{ at: Date.now(), measure, name, outcome, count: times }])
}

const tenMinutesAgo = () => Date.now() - 600_000

/** For each warning, a function that causes it. */
const provoked: Record<Warning['code'], () => Promise<Admin>> = {
  async ranges_failing() {
    const github = await LocalGitHub.start()
    onTestFinished(() => github.close())
    github.fail({ status: 502 })
    const receiver = new Hooks({ secret: 's', apiUrl: github.url, logger: false }).mount()
    await expect(receiver.ready()).rejects.toThrow()
    return openAdmin({ receiver })
  },
  origin_unchecked: () => openAdmin({ receiver: new Hooks({ secret: 's', validateIp: 'warn' }).mount() }),
  unsigned: () => openAdmin({ receiver: new Hooks({ validateSignature: false }).mount() }),
  async wrong_signatures() {
    const admin = await openAdmin()
    await count(admin, 'rejected', 'wrong_signature', 2)
    await count(admin, 'rejected', 'missing_signature')
    return admin
  },
  async all_rejected() {
    const admin = await openAdmin()
    await count(admin, 'rejected', 'forbidden_origin')
    return admin
  },
  async old_secret() {
    const admin = await openAdmin()
    await count(admin, 'secrets', '0', 9)
    await count(admin, 'secrets', '1', 2)
    return admin
  },
  async not_stored() {
    const admin = await openAdmin()
    await count(admin, 'rejected', 'inbox_unavailable')
    await count(admin, 'rejected', 'overloaded')
    return admin
  },
  async slow_answers() {
    const admin = await openAdmin()
    await count(admin, 'answers', '3', 90)
    await count(admin, 'answers', '6100', 10)
    return admin
  },
  async dead() {
    const admin = await openAdmin()
    await handle(admin.inbox, await storeIn(admin.inbox), { outcome: 'dead' })
    return admin
  },
  async paused() {
    const admin = await openAdmin()
    await admin.inbox.pause('deploy')
    return admin
  },
  async not_handled() {
    const admin = await openAdmin()
    await storeIn(admin.inbox, {}, { receivedAt: tenMinutesAgo() })
    return admin
  },
  store_failing: () => withProblem({ code: 'store_failing', message: 'Error: database disk image is malformed' }),
  handler_overdue: () => withProblem({ code: 'handler_overdue', handler: 'deploy', count: 3 }),
  memory_exhausted: () => withProblem({ code: 'memory_exhausted' }),
  missed: () => withMissedDeliveries('missed', 'requested', 'requested', 'expired', 'unrecorded', 'received'),
  async upkeep_failing() {
    const admin = await openAdmin()
    const overview = await admin.inbox.overview()
    const failure = { work: 'pruning', message: 'permission denied for table contents' }
    admin.inbox.overview = async () => ({ ...overview, failing: [failure] })
    return admin
  },
  async old_transaction() {
    const admin = await openAdmin()
    const overview = await admin.inbox.overview()
    const oldTransaction = { pid: 4711, user: 'reports', application: 'psql', age: 245_000 }
    admin.inbox.overview = async () => ({ ...overview, oldTransaction })
    return admin
  },
  async recovery_failing() {
    const admin = await openAdmin()
    await keepSweep(admin, [{ target: 'acme/till' }, { target: 'acme/shop', error: 'GitHub rejected the token (401)' }])
    return admin
  },
  pull_failing: () =>
    openAdmin({ polling: { failures: [{ target: 'acme/shop', error: 'GitHub rejected the token (401)' }] } }),
}

/** An inbox whose worker reports a problem. */
async function withProblem(problem: WorkerProblem): Promise<Admin> {
  const admin = await openAdmin()
  await admin.inbox.heartbeat({ id: 'a', role: 'worker', version: '1.0.0', startedAt: Date.now(), problems: [problem] })
  return admin
}

/** An inbox with missed deliveries in these states. */
async function withMissedDeliveries(...states: MissedDeliveryState[]): Promise<Admin> {
  const admin = await openAdmin()
  const now = Date.now()
  await admin.inbox.saveMissedDeliveries(
    states.map((state, index) => ({
      ...{
        hookId: '7',
        guid: String(index),
        target: 'acme/shop',
        event: 'push',
        action: undefined,
        status: 'timed out',
      },
      ...{
        deliveryId: String(index),
        deliveredAt: now,
        state,
        requests: 0,
        requestedAt: undefined,
        expiresAt: now + 1000,
      },
    })),
  )
  return admin
}

/** Stores a sweep as the last sweep. */
function keepSweep(admin: Admin, reports: readonly { target: string; error?: string }[]): Promise<void> {
  const sent = { sent: 0, unhandled: 0, counts: countByState([]), fetched: 0, calls: 1 }
  return admin.inbox.setValue(
    'recovery',
    JSON.stringify({ at: Date.now(), reports: reports.map((one) => ({ ...sent, ...one })) }),
  )
}

const warningCodes = Stats.entries.warnings.item.entries.code.options

describe('a warning', () => {
  test.each(warningCodes)('%s is shown when it applies, alone, and names a fix', async (code) => {
    const [only, ...others] = await warningsOf(await provoked[code]())
    expect([only?.code, others]).toEqual([code, []])
    expect(only?.message).toMatch(/^[A-Z\d].{20}/)
    expect(only?.cure).toMatch(/.{10}/)
  })

  test('is not shown if all is well', async () => {
    const github = await LocalGitHub.start({ hooks: ['127.0.0.0/8'] })
    onTestFinished(() => github.close())
    const receiver = new Hooks({ secret: 's', apiUrl: github.url }).mount()
    await receiver.ready()
    const admin = await openAdmin({ receiver })
    await count(admin, 'received', 'push', 5, 'stored')
    await count(admin, 'secrets', '0', 5)
    await count(admin, 'answers', '4', 5)
    await count(admin, 'rejected', 'forbidden_origin') // from other addresses, while GitHub's deliveries are accepted
    await handle(admin.inbox, await storeIn(admin.inbox))
    await storeIn(admin.inbox) // received just now
    expect(await codesOf(admin)).toEqual([])
  })

  test('has the right number and plural', async () => {
    const sentences = async (code: Warning['code']) => (await warningsOf(await provoked[code]()))[0]?.message
    expect(await sentences('wrong_signatures')).toBe(
      '3 deliveries were rejected in the last hour because of a wrong or missing signature',
    )
    expect(await sentences('dead')).toBe(
      '1 delivery was not handled: a handler failed in its last attempt, or the payload could not be parsed',
    )
  })

  test('about missed deliveries distinguishes those that can still be recovered', async () => {
    const message = async (...states: MissedDeliveryState[]) =>
      (await warningsOf(await withMissedDeliveries(...states)))[0]?.message
    expect(await message('missed', 'requested')).toBe('2 deliveries were missed and not recovered yet')
    expect(await message('expired')).toBe('1 delivery was missed and can no longer be recovered')
    expect(await message('missed', 'expired')).toBe(
      '1 delivery was missed and not recovered yet; 1 delivery was missed and can no longer be recovered',
    )
    expect(await message('received', 'unrecorded')).toBeUndefined()
  })

  test('about a failed sweep names the webhook and the error, until a sweep succeeds', async () => {
    const admin = await provoked.recovery_failing()
    expect((await warningsOf(admin))[0]?.message).toBe(
      'Recovery of missed deliveries fails for acme/shop: GitHub rejected the token (401)',
    )
    await keepSweep(admin, [{ target: 'acme/shop' }])
    expect(await codesOf(admin)).toEqual([])
  })

  test('about an unchecked origin is shown if serve does not check it, but not with --dev', async () => {
    const codesWith = async (flags: Readonly<Record<string, string>>): Promise<string[]> => {
      const { service } = await watch(undefined, flags)
      const init = { headers: { authorization: `Bearer ${adminToken}` } }
      const stats = (await (await fetch(`${service.adminUrl}/api/v1/stats`, init)).json()) as Stats
      return stats.warnings.map(({ code }) => code)
    }
    expect(await codesWith({ validateIp: 'false' })).toContain('origin_unchecked')
    expect(await codesWith({ dev: 'true' })).toEqual([])
  })

  test('about idle handlers is not shown while some run, or while all are paused', async () => {
    const handled = await provoked.not_handled()
    await count(handled, 'attempts', 'deploy', 1, 'succeeded')
    expect(await codesOf(handled)).toEqual([])
    const paused = await provoked.not_handled()
    await paused.inbox.pause('*')
    expect(await codesOf(paused)).toEqual(['paused'])
  })

  test('about idle handlers is not shown while deliveries wait for the delay of their handler', async () => {
    const admin = await openAdmin()
    const worker = await TestWorker.register(admin.inbox, 'deploy')
    const startAt = Date.now() + 600_000
    const id = await storeIn(admin.inbox, {}, { receivedAt: tenMinutesAgo() })
    await worker.match(id, { handler: 'deploy', claim: true, startAt })
    expect(await codesOf(admin)).toEqual([])
  })

  test('about idle handlers is not shown for a new delivery, although an old one waits for a retry', async () => {
    const admin = await openAdmin()
    const worker = await TestWorker.register(admin.inbox, 'deploy')
    const failing = await worker.begin(await storeIn(admin.inbox, {}, { receivedAt: tenMinutesAgo() }), 'deploy')
    await worker.finish(failing, 'failed', { nextAt: Date.now() + 600_000 })
    await storeIn(admin.inbox)
    expect(await codesOf(admin)).toEqual([])
  })

  test('is explained in docs/api.md', () => {
    const page = readFileSync('docs/api.md', 'utf8')
    const listed = [...page.matchAll(/^- \*\*(\w+)\*\*/gm)].map(([, code]) => code)
    expect(listed).toEqual(warningCodes)
  })
})
