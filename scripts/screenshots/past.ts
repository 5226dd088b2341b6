import { randomUUID } from 'node:crypto'
import { sqlite } from 'hookserver/sqlite'
import { signedRequest } from 'hookserver/testing'
import type { ImportedDelivery } from '../../src/inbox/inbox.ts'
import type { AttemptDetail } from '../../src/inbox/records.ts'
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

/** Creates an inbox with the deliveries of story.ts and the counts of a day. */
export async function createInbox(file: string, now: number): Promise<void> {
  const inbox = sqlite(file)
  try {
    await inbox.importDeliveries(story.map((event) => restored(event, now)))
    await inbox.addCounts(countsOfDay(now))
  } finally {
    await inbox.close()
  }
}

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
