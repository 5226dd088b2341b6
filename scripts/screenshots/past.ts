import { randomUUID } from 'node:crypto'
import { sqlite } from 'hookserver/sqlite'
import { type PastDelivery, signedRequest } from 'hookserver/testing'
import type { AuditAction, AuditTarget } from '../../src/inbox/audit-log.ts'
import type { ImportedDelivery } from '../../src/inbox/inbox.ts'
import { newAuditEntry } from '../../src/inbox/new-audit-entry.ts'
import type { AttemptDetail, Rejection } from '../../src/inbox/records.ts'
import { summarizePayload } from '../../src/inbox/worker/payload.ts'
import { countsOfDay } from './day.ts'
import { payloadOf } from './payload.ts'
import { type Event, story } from './story.ts'

const minute = 60_000
/**
 * Milliseconds before the second attempt. Each later delay is twice the previous one. hookserver's real delays differ:
 * they are random, and their maximum triples with each failure.
 */
const backoff = 60_000

/**
 * Creates an inbox with the deliveries of story.ts, the counts of a day, rejected requests and actions of operators.
 * @returns the deliveries of `acme/shop` that have a handler, as GitHub has recorded them.
 */
export async function createInbox(file: string, now: number): Promise<PastDelivery[]> {
  const inbox = sqlite(file)
  try {
    const deliveries = story.map((event) => restored(event, now))
    await inbox.importDeliveries(deliveries)
    await inbox.addCounts(countsOfDay(now))
    await inbox.recordRejections(rejections.map((one) => ({ ...rejected, ...one, at: now - one.at * minute })))
    await inbox.addCounts(
      rejections.map(({ at, code: name }) => {
        return { at: now - at * minute, measure: 'rejected', name, outcome: '', count: 1 }
      }),
    )
    for (const { ago, person, action, target, count } of actions) {
      const entry = newAuditEntry({ access: 'github', person, address: '198.51.100.7' }, action, target)
      await inbox.recordAction({ ...entry, at: now - ago * minute }, { count })
    }
    return story.flatMap(({ name, state, about: { repository } }, index) => {
      const { guid, receivedAt } = (deliveries[index] as ImportedDelivery).delivery
      return repository === 'acme/shop' && state !== 'ignored'
        ? [{ event: name, guid, deliveredAt: receivedAt, statusCode: 202 }]
        : []
    })
  } finally {
    await inbox.close()
  }
}

const rejected = { source: '/hooks', address: '140.82.115.24', guid: undefined, event: undefined, headers: {} }

/** Rejected requests, oldest first. `at`: minutes before now. */
const rejections: readonly (Pick<Rejection, 'at' | 'code' | 'status' | 'reason'> & Partial<Rejection>)[] = [
  {
    ...{ at: 231, code: 'forbidden_origin', status: 403, reason: '203.0.113.7 is not an address of GitHub' },
    ...{ address: '203.0.113.7', headers: { 'user-agent': 'curl/8.19.0' } },
  },
  {
    ...{ at: 96, code: 'wrong_signature', status: 400, reason: 'The request was signed with another secret' },
    ...{ event: 'ping', guid: randomUUID(), headers: { 'user-agent': 'GitHub-Hookshot/b5a8f1c' } },
  },
  {
    ...{ at: 41, code: 'forbidden_origin', status: 403, reason: '198.51.100.80 is not an address of GitHub' },
    ...{ address: '198.51.100.80', headers: { 'user-agent': 'python-requests/2.33.0' } },
  },
]

interface Action {
  /** Minutes before now. */
  ago: number
  person: string
  action: AuditAction
  target: AuditTarget
  count: number
}

const actions: readonly Action[] = [
  { ago: 204, person: 'monalisa', action: 'login', target: {}, count: 1 },
  { ago: 151, person: 'monalisa', action: 'pause', target: { handler: 'deploy' }, count: 1 },
  { ago: 144, person: 'octocat', action: 'resume', target: { handler: 'deploy' }, count: 1 },
  { ago: 120, person: 'octocat', action: 'retry', target: { search: 'state:dead event:issues' }, count: 3 },
]

function restored(event: Event, now: number): ImportedDelivery {
  const { ago, name, state, handler, about } = event
  const receivedAt = now - ago * minute - (ago % 7) * 1300
  const guid = randomUUID()
  const payload = payloadOf(name, about)
  const { headers, body } = signedRequest(name, { payload, guid })
  const attempts = attemptsOf(event, receivedAt)
  const nextAttemptAt = state === 'retrying' ? now + 11 * minute : undefined
  const task = { state: state as 'done' | 'dead' | 'retrying', key: undefined, nextAttemptAt, attempts }
  const delivery: ImportedDelivery['delivery'] = {
    ...{ source: '/hooks', hookId: '292430182', guid, event: headers['x-github-event'] ?? '', state },
    ...{ receivedAt, storedAt: receivedAt + 3, ackedAt: receivedAt + 4, headers, form: 'json' },
    ...{ address: '140.82.115.24', secretId: undefined, secretIndex: 0, algorithm: 'sha256', reason: undefined },
    ...{ duplicates: 0, replayed: false, pulled: false },
    ...summarizePayload(payload as never),
    tasks: handler === undefined ? [] : [{ handler, ...task }],
  }
  return { delivery, body: new TextEncoder().encode(body) }
}

function attemptsOf({ state, handler, errors = [], result, took = 0 }: Event, receivedAt: number): AttemptDetail[] {
  if (handler === undefined) return []
  const none = { error: undefined, result: undefined, log: undefined }
  let startedAt = receivedAt + 6
  const attempts = errors.map((error, index): AttemptDetail => {
    const isLast = state === 'dead' && index === errors.length - 1
    const attempt = { number: index + 1, startedAt, duration: took + 17 * index, ...none, error }
    startedAt += took + backoff * 2 ** index
    return { ...attempt, outcome: isLast ? 'dead' : 'failed' }
  })
  if (state !== 'done') return attempts
  return [
    ...attempts,
    { number: attempts.length + 1, startedAt, duration: took, ...none, outcome: 'succeeded', result },
  ]
}
