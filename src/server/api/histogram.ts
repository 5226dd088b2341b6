import type { CountQuery } from '../../inbox/counts.ts'
import type { DeliveryReader, Statistics } from '../../inbox/inbox.ts'
import type { Query } from '../../inbox/query/query.ts'
import { isFailed, type TimeCount, TimeCountSum } from '../../inbox/query/time-counts.ts'
import { day, hour, minute } from '../../runtime/units.ts'
import { type ApiContext, type Route, route } from './route.ts'
import { HistogramQuery, queryOf } from './schemas/requests.ts'
import type * as responses from './schemas/responses.ts'

/** The number of received deliveries in each step of time. */
export const histogram = ({ inbox }: Pick<ApiContext, 'inbox'>): Route =>
  route({
    method: 'get',
    path: '/histogram',
    operationId: 'getHistogram',
    summary: 'Count deliveries by their time of receipt',
    query: HistogramQuery,
    answer: 'Histogram',
    handle: ({ query }) => histogramOf(inbox, queryOf(query), Date.now()),
  })

/** The lengths of steps, in milliseconds. Each is a multiple of a minute, or divides it; the same holds for hours. */
const steps: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1000),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * minute),
  ...[1, 2, 3, 6, 12].map((hours) => hours * hour),
  ...[1, 2, 7, 14, 28, 91, 364].map((days) => days * day),
]

/**
 * The steps of a histogram: the maximum, apart from a first one that has begun before the range, and the minimum if the
 * search does not say where the range begins.
 */
const [maxSteps, minSteps] = [100, 30]
/** Milliseconds to count the deliveries of a search, and the failed ones among all deliveries. */
const [searchBudget, failedBudget] = [90, 60]
/** The counts of minutes are kept a bit longer than this, the counts of hours a bit longer than `keptHours`. */
const [keptMinutes, keptHours] = [day, 30 * day]

/**
 * Counts the deliveries of a search. If they are too many, counts all deliveries of the same time: the inbox keeps the
 * number of received deliveries by minute and by hour, so this takes as long in an inbox of any size.
 */
async function histogramOf(
  inbox: DeliveryReader & Statistics,
  query: Query,
  now: number,
): Promise<responses.Histogram> {
  const { since } = query
  const until = Math.min(query.until ?? Number.POSITIVE_INFINITY, now + 1)
  const step = since === undefined ? minute : stepFor(until - since)
  const counts = query.paths?.length ? undefined : await countWithin(inbox, query, { step, budget: searchBudget })
  if (counts) return describe(counts, { since, until, step, covers: 'search' })
  return histogramOfAll(inbox, { since, until, now })
}

async function histogramOfAll(
  inbox: DeliveryReader & Statistics,
  { since, until, now }: { since: number | undefined; until: number; now: number },
): Promise<responses.Histogram> {
  if (until <= now - keptHours) return { since: since ?? until, until, step: hour, received: [], covers: 'none' }
  const isRecent = since !== undefined && since >= now - keptMinutes
  const from = Math.max(since ?? 0, now - keptHours)
  const step = Math.max(isRecent ? minute : hour, since === undefined ? 0 : stepFor(until - from))
  const first = from - (from % step)
  const failedQuery: Query = { since, until, where: [isFailed] }
  const [received, failed] = await Promise.all([
    receivedCounts(inbox, { since: first, step }),
    countWithin(inbox, failedQuery, { step, budget: failedBudget }),
  ])
  const sum = new TimeCountSum()
  sum.add(received.filter(({ at }) => at < until))
  sum.add((failed ?? []).map((one) => ({ ...one, count: 0 })))
  const range = { since: since === undefined ? undefined : from, until, step, covers: 'all' } as const
  const { failed: failures, ...answer } = describe(
    sum.counts.filter(({ at }) => at >= first),
    range,
  )
  return failed ? { ...answer, failed: failures } : answer
}

/** Stored deliveries by step. Duplicates are not counted, because the list does not have them. */
async function receivedCounts(inbox: Statistics, query: CountQuery): Promise<TimeCount[]> {
  const counts = await inbox.counts({ ...query, measures: ['received'], sumNames: true })
  return counts.filter(({ outcome }) => outcome === 'stored').map(({ at, count }) => ({ at, count, failed: 0 }))
}

/** Counts the deliveries of a query. @returns nothing if that takes longer than the budget. */
async function countWithin(
  inbox: DeliveryReader,
  query: Query,
  { step, budget }: { step: number; budget: number },
): Promise<TimeCount[] | undefined> {
  const { limit, budget: _, paths, ...conditions } = query
  const end = performance.now() + budget
  const sum = new TimeCountSum()
  let before: number | undefined
  do {
    const { counts, next } = await inbox.timeCounts({ query: { ...conditions, before }, step })
    sum.add(counts)
    before = next
    if (before !== undefined && performance.now() > end) return undefined
  } while (before !== undefined)
  return sum.counts
}

interface Range {
  /** `undefined`: the first step that has a delivery. */
  since: number | undefined
  until: number
  /** The length of the steps of the counts. Without `since`, longer steps may be needed. */
  step: number
  covers: responses.Histogram['covers']
}

/** The counts as lists with one number per step. */
function describe(counts: readonly TimeCount[], { since, until, step: counted, covers }: Range): responses.Histogram {
  const from = since ?? counts.reduce((first, { at }) => Math.min(first, at), until - minSteps * counted)
  const step = Math.max(counted, stepFor(until - from))
  const first = from - (from % step)
  const length = Math.max(1, Math.ceil((until - first) / step))
  const received = Array<number>(length).fill(0)
  const failed = Array<number>(length).fill(0)
  for (const { at, count, failed: failures } of counts) {
    // A clock that was ahead has dated some deliveries after the range.
    const index = Math.min(length - 1, Math.floor((at - first) / step))
    received[index] = (received[index] ?? 0) + count
    failed[index] = (failed[index] ?? 0) + failures
  }
  return { since: first, until, step, received, failed, covers }
}

const stepFor = (range: number): number =>
  steps.find((step) => range / step <= maxSteps) ?? Math.ceil(range / maxSteps / day) * day
