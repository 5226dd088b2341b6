/** Numbers of events by time. */
import * as v from 'valibot'
import { count, counts, duration, list, object, optional, outcome, percentiles, text, timestamp } from './parts.ts'

export const Series = object({
  since: timestamp,
  step: duration,
  received: list(object({ event: text, outcome: text, counts })),
  attempts: list(object({ handler: text, outcome, counts })),
  rejected: list(object({ code: text, counts })),
  secrets: list(object({ index: count, count })),
  latency: percentiles,
  latencies: list(percentiles),
})
export type Series = v.InferOutput<typeof Series>

export const Histogram = object({
  since: v.pipe(timestamp, v.description('The beginning of the first step')),
  until: v.pipe(timestamp, v.description('The end of the range, within the last step')),
  step: v.pipe(duration, v.description('Milliseconds: the length of a step')),
  received: counts,
  failed: optional(v.pipe(counts, v.description('The deliveries that are dead or retrying; missing if too many are'))),
  covers: v.pipe(
    v.picklist(['search', 'all', 'none']),
    v.description(
      '"all": the search has too many deliveries to count, so all deliveries of its time are counted. "none": the inbox no longer has the counts of its time',
    ),
  ),
})
export type Histogram = v.InferOutput<typeof Histogram>
