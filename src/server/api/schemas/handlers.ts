/** The answers about handlers. */
import * as v from 'valibot'
import { count, counts, duration, flag, list, object, optional, percentiles, text, timestamp } from './parts.ts'

const HandlerStatistics = object({
  attempts: v.pipe(count, v.description('Attempts that ended in the window')),
  succeeded: count,
  failed: v.pipe(count, v.description('Attempts that failed and were retried, or were cut off')),
  dead: count,
  durations: v.pipe(percentiles, v.description('Durations of the attempts in the window')),
  completions: v.pipe(percentiles, v.description('Times from the receipt of a delivery to the success of the handler')),
  waiting: v.pipe(count, v.description('Tasks that wait for an attempt now, without those that wait for a retry')),
  running: v.pipe(count, v.description('Attempts that run now, in all processes')),
  waitingSince: optional(v.pipe(timestamp, v.description('When the longest wait began; milliseconds since 1970'))),
})
export type HandlerStatistics = v.InferOutput<typeof HandlerStatistics>

export const HandlerSeries = object({
  since: timestamp,
  step: duration,
  succeeded: counts,
  failed: v.pipe(
    counts,
    v.description('Attempts that failed, also in the last attempt, or were cut off; one count per time step'),
  ),
  durations: list(percentiles),
  completions: list(percentiles),
  waiting: v.pipe(list(v.nullable(v.number())), v.description('Mean number of waiting tasks; null without a sample')),
  ages: v.pipe(list(v.nullable(duration)), v.description('Mean milliseconds that the oldest of them had waited')),
})
export type HandlerSeries = v.InferOutput<typeof HandlerSeries>

export const Handler = object({
  name: text,
  paused: flag,
  statistics: HandlerStatistics,
  events: optional(list(text)),
  replies: optional(flag),
  options: optional(v.record(v.string(), v.unknown())),
  elsewhere: optional(v.literal(true)),
  lastFailure: optional(object({ id: count, at: timestamp, error: optional(text) })),
  schedule: optional(object({ time: text, timezone: optional(text), next: optional(timestamp) })),
})
export type Handler = v.InferOutput<typeof Handler>

export const Handlers = object({ handlers: list(Handler) })

export const HandlerDetail = object({ ...Handler.entries, series: HandlerSeries })
export type HandlerDetail = v.InferOutput<typeof HandlerDetail>
