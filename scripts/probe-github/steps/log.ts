/** When does an attempt appear in the log, in which order, and with which times? */
import { type Attempt, ping, readAttempt, waitForAttempts, waitForLog } from '../attempts.ts'
import { dateOf } from '../github-api.ts'
import { type Probe, quickUrl } from '../probe.ts'
import type { Answer, Step } from '../step.ts'

/** How many pings are timed. */
const timedPings = 3

async function askLag(probe: Probe): Promise<Answer> {
  const webhook = await probe.webhooks.create({ url: quickUrl(probe) })
  const known = new Set((await waitForAttempts(probe, webhook)).attempts.map(({ id }) => id))
  const lagMs: number[] = []
  const durations: number[] = []
  for (let count = 1; count <= timedPings; count++) {
    probe.progress(`ping ${count} of ${timedPings}`)
    const pingedAt = await ping(probe, webhook)
    const { attempts, answer } = await waitForLog(probe, webhook, (log) =>
      log.attempts.some(({ id }) => !known.has(id)),
    )
    lagMs.push(dateOf(answer) - pingedAt)
    durations.push(...attempts.filter(({ id }) => !known.has(id)).map(({ duration }) => duration))
    for (const { id } of attempts) known.add(id)
  }
  const slowest = Math.max(...lagMs)
  const range = slowest < 5000 ? 'under 5 s' : slowest < 60_000 ? 'under a minute' : 'a minute or more'
  return { facts: { slowest: range }, measured: { lagMs, durations } }
}

/** The shortest duration of an attempt that counts as slow, in seconds. */
const minSlow = 2

/** Starts a slow attempt, and during it a quick one. So the attempt that begins first ends last. */
async function askOrder(probe: Probe): Promise<Answer> {
  const webhook = await probe.webhooks.create({ url: probe.receivers.slow })
  const quick = probe.webhooks.marked(quickUrl(probe))
  await probe.api.request('PATCH', `${webhook.path}/config`, { body: { url: quick } })
  const waited = (await ping(probe, webhook)) - dateOf(webhook.created)
  const { attempts } = await waitForAttempts(probe, webhook, 2)
  const durations = attempts.map(({ duration }) => duration)
  const overlapped = Math.max(...durations) > minSlow + waited / 1000 && Math.min(...durations) < minSlow
  const slowIsFirst = durations[0] === Math.max(...durations)
  const facts = {
    ids: directionOf(attempts.map(({ id }) => BigInt(id))),
    times: directionOf(attempts.map(({ deliveredAt }) => BigInt(Date.parse(deliveredAt)))),
    first: overlapped ? `the attempt that ${slowIsFirst ? 'ended' : 'began'} last` : 'unknown: no attempts overlapped',
  }
  return { facts, measured: { durations } }
}

/** The direction of a list of numbers, first to last. */
function directionOf(values: readonly bigint[]): string {
  const pairs = values.slice(1).map((value, index) => [values[index] as bigint, value] as const)
  if (pairs.every(([before, after]) => before === after)) return 'equal'
  if (pairs.every(([before, after]) => before >= after)) return 'descending'
  return pairs.every(([before, after]) => before <= after) ? 'ascending' : 'neither'
}

async function askTimeFormat(probe: Probe): Promise<Answer> {
  const webhook = await probe.webhooks.create({ url: quickUrl(probe) })
  const { attempts } = await waitForAttempts(probe, webhook)
  const { id, deliveredAt } = attempts[0] as Attempt
  const single = await readAttempt(probe, webhook, id)
  const { created_at: createdAt } = webhook.created.data as { created_at?: unknown }
  const facts = { list: deliveredAt, single: String(single.delivered_at), webhook: String(createdAt) }
  return { facts: Object.fromEntries(Object.entries(facts).map(([where, time]) => [where, formatOf(time)])) }
}

/** A time with 0 in place of each digit: `0000-00-00T00:00:00Z`. */
const formatOf = (time: string): string => time.replaceAll(/\d/g, '0')

async function askDeliveredAt(probe: Probe): Promise<Answer> {
  const webhook = await probe.webhooks.create({ url: probe.receivers.slow })
  const { attempts, answer } = await waitForAttempts(probe, webhook)
  const { deliveredAt, duration } = attempts[0] as Attempt
  const [pingedAt, listedAt] = [dateOf(webhook.created), dateOf(answer)]
  const times = { pingedAt, deliveredAt: Date.parse(deliveredAt), listedAt, duration }
  return {
    facts: { deliveredAt: meaningOf(times) },
    measured: {
      ...{ duration, msAfterPing: times.deliveredAt - pingedAt, msBeforeListed: listedAt - times.deliveredAt },
    },
  }
}

export interface AttemptTimes {
  /** When GitHub was asked for the attempt, and when the log was seen to have it: `Date` headers, in whole seconds. */
  pingedAt: number
  listedAt: number
  deliveredAt: number
  /** In seconds. */
  duration: number
}

/** Milliseconds by which times of whole seconds, and the clocks of GitHub's servers, can differ. */
const tolerance = 1000

/**
 * Whether `deliveredAt` is the start or the end of an attempt. It is not the end if the attempt would then have begun
 * before the ping, and it is not the start if the attempt would then still run after the log has listed it.
 */
export function meaningOf({ pingedAt, listedAt, deliveredAt, duration }: AttemptTimes): 'start' | 'end' | 'unknown' {
  const canBeEnd = deliveredAt - duration * 1000 >= pingedAt - tolerance
  const canBeStart = deliveredAt + duration * 1000 <= listedAt + tolerance
  if (canBeStart === canBeEnd) return 'unknown'
  return canBeStart ? 'start' : 'end'
}

export const logSteps: readonly Step[] = [
  {
    name: 'log-lag',
    question: 'How long after a ping does its attempt appear in the log?',
    ask: askLag,
  },
  {
    name: 'list-order',
    question: 'How is the list of deliveries sorted?',
    ask: askOrder,
  },
  {
    name: 'time-format',
    question: 'Which format do times have?',
    ask: askTimeFormat,
  },
  {
    name: 'delivered-at',
    question: 'Is delivered_at the start or the end of an attempt?',
    ask: askDeliveredAt,
  },
]
