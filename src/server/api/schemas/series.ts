/** Numbers of events by time. */
import type * as v from 'valibot'
import { described } from '../../schema.ts'
import {
  count,
  counts,
  duration,
  list,
  object,
  optional,
  outcome,
  percentiles,
  text,
  timestamp,
  word,
} from './parts.ts'

const latency = percentiles('Times from a request to its reply with a status of 2xx, to two significant digits')

export const Series = described(
  object({
    since: timestamp('When the first time step began'),
    step: duration('The length of a time step'),
    received: list(
      object({
        event: text('The event'),
        outcome: text('stored, duplicate, or rearmed: a copy of a delivery that ended without success'),
        counts: counts('Verified deliveries'),
      }),
      'Verified deliveries, by event and outcome',
    ),
    attempts: list(
      object({
        handler: text('The handler; other, after the first 500 handlers of a process'),
        outcome: outcome('How the attempts ended'),
        counts: counts('Attempts that ended'),
      }),
      'Attempts, by handler and outcome',
    ),
    rejected: list(
      object({ code: text('The code of the error'), counts: counts('Rejected requests') }),
      'Rejected requests, by code',
    ),
    secrets: list(
      object({
        index: count('The position of the secret in the list of secrets, from 0'),
        count: count('Verified deliveries in the window'),
      }),
      'Verified deliveries, by the secret that signed them',
    ),
    latency,
    latencies: list(latency, 'The same times, per time step'),
  }),
  'Counts per time step, from all processes that share the inbox. The last time step has not ended yet',
)
export type Series = v.InferOutput<typeof Series>

export const Histogram = object({
  since: timestamp('The beginning of the first step'),
  until: timestamp('The end of the range, within the last step'),
  step: duration('The length of a step'),
  received: counts('Deliveries that were received'),
  failed: optional(counts('The deliveries that are dead or retrying now. Absent if too many are')),
  covers: word(
    ['search', 'all', 'none'],
    '"all": the search has too many deliveries to count, so all deliveries of its time are counted. "none": the inbox no longer has the counts of its time',
  ),
})
export type Histogram = v.InferOutput<typeof Histogram>
