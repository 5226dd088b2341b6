import { setTimeout } from 'node:timers/promises'
import { isObject, type Json } from '../../src/runtime/json.ts'
import { type ApiAnswer, dateOf } from './github-api.ts'
import type { Probe } from './probe.ts'
import type { Webhook } from './webhooks.ts'

/** An attempt to deliver, as GitHub's log lists it. */
export interface Attempt {
  id: string
  /** As GitHub writes it. */
  deliveredAt: string
  /** In seconds. */
  duration: number
  status: string
  statusCode: number
  event: string
}

/** The log of a webhook, newest attempt first. */
export interface Log {
  attempts: readonly Attempt[]
  answer: ApiAnswer
}

/** The log did not get the attempts that a step waits for. */
export class NotListed extends Error {
  override readonly name = 'NotListed'
}

/** After this number of polls, the polls become less frequent. */
const frequentPolls = 30
const slowdown = 5
/** Milliseconds between two lines of progress. */
const progressInterval = 10_000

export async function readLog({ api }: Probe, { path }: Webhook): Promise<Log> {
  const request = `${path}/deliveries?per_page=100`
  const answer = await api.request('GET', request)
  if (!Array.isArray(answer.data)) throw new Error(`The answer to GET ${path}/deliveries is not a list`)
  return { attempts: answer.data.map(toAttempt), answer }
}

function toAttempt(entry: Json): Attempt {
  const { id, delivered_at, duration, status, status_code, event } = entry
  return {
    ...{ id: String(id), deliveredAt: String(delivered_at), duration: Number(duration), status: String(status) },
    ...{ statusCode: Number(status_code), event: String(event) },
  }
}

/** Reads the log until it has `count` attempts. @throws {NotListed} if that takes longer than the probe may wait. */
export function waitForAttempts(probe: Probe, webhook: Webhook, count = 1): Promise<Log> {
  return waitForLog(probe, webhook, ({ attempts }) => attempts.length >= count)
}

/** @throws {NotListed} if it takes longer than the probe may wait. */
export async function waitForLog(probe: Probe, webhook: Webhook, isComplete: (log: Log) => boolean): Promise<Log> {
  const startedAt = performance.now()
  let shownAt = startedAt
  for (let polls = 1; ; polls++) {
    const log = await readLog(probe, webhook)
    if (isComplete(log)) return log
    const now = performance.now()
    if (now - startedAt > probe.maxWait)
      throw new NotListed(`The log has ${log.attempts.length} attempts after ${Math.round(probe.maxWait / 1000)} s`)
    if (now - shownAt >= progressInterval) {
      probe.progress(`waiting for an attempt in the log for ${Math.round((now - startedAt) / 1000)} s`)
      shownAt = now
    }
    const interval = polls > frequentPolls ? probe.pollInterval * slowdown : probe.pollInterval
    await setTimeout(interval, undefined, { signal: probe.signal })
  }
}

/** A single attempt, with its request and response. */
export async function readAttempt({ api }: Probe, { path }: Webhook, id: string): Promise<Json> {
  const { data } = await api.request('GET', `${path}/deliveries/${id}`)
  if (!isObject(data)) throw new Error(`The answer to GET ${path}/deliveries/${id} is not an object`)
  return data
}

/** Sends a ping. @returns The time of GitHub's clock, in milliseconds since 1970. */
export async function ping({ api }: Probe, { path }: Webhook): Promise<number> {
  return dateOf(await api.request('POST', `${path}/pings`))
}
