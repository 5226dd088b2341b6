/** The answers about handlers. */
import * as v from 'valibot'
import { described } from '../../schema.ts'
import { count, counts, duration, flag, list, object, optional, percentiles, text, texts, timestamp } from './parts.ts'

const durations = percentiles('Durations of the attempts that ended')
const completions = percentiles('Times from the receipt of a delivery to the success of the handler')

const HandlerStatistics = object({
  attempts: count('Attempts that ended in the window'),
  succeeded: count('Attempts that succeeded'),
  failed: count('Attempts that failed and were retried, or were cut off'),
  dead: count('Attempts that failed and were the last one'),
  ...{ durations, completions },
  waiting: count('Tasks that wait for an attempt now, without those that wait for a retry; at most 10,000'),
  running: count('Attempts that run now, in all processes; at most 10,000'),
  waitingSince: optional(timestamp('When the longest wait began')),
})
export type HandlerStatistics = v.InferOutput<typeof HandlerStatistics>

export const HandlerSeries = described(
  object({
    since: timestamp('When the first time step began'),
    step: duration('The length of a time step'),
    succeeded: counts('Attempts that succeeded'),
    failed: counts('Attempts that failed, also in the last attempt, or were cut off'),
    durations: list(durations, 'Durations of attempts, per time step'),
    completions: list(completions, 'Times from receipt to success, per time step'),
    waiting: list(
      v.nullable(v.number()),
      'Mean number of waiting tasks, per time step; null without a sample. Each process with a worker takes one every 30 s',
    ),
    ages: list(
      v.nullable(duration('A mean')),
      'Mean milliseconds that the oldest of them had waited, per time step; null without a sample',
    ),
  }),
  'The statistics of a handler over time. The last time step has not ended yet',
)
export type HandlerSeries = v.InferOutput<typeof HandlerSeries>

export const Handler = object({
  name: text('The name of the handler'),
  paused: flag('Whether the handler, or all handlers, are paused'),
  statistics: described(HandlerStatistics, 'The attempts in the window, and the tasks that wait now'),
  events: optional(texts('The events that it handles, such as push, issues.opened or *')),
  replies: optional(flag('Whether its return value is the reply: true for a hook, false for a listener')),
  options: optional(
    described(
      v.record(v.string(), v.unknown()),
      'The options of its registration. Without functions, except that an order function is "function"',
    ),
  ),
  elsewhere: optional(
    described(
      v.literal(true),
      'Only another process has the handler. Then events, replies and options are absent: only that process knows them',
    ),
  ),
  lastFailure: optional(
    described(
      object({
        id: count('The id of the delivery'),
        at: timestamp('When the attempt ended'),
        error: optional(text('The first line of the error, at most 300 characters')),
      }),
      'The latest failed attempt among the stored deliveries',
    ),
  ),
  schedule: optional(
    described(
      object({
        time: text('A cron text, or "every" and an interval'),
        timezone: optional(text('The IANA time zone of the cron text. Absent for an interval')),
        next: optional(timestamp('The next time')),
      }),
      'The schedule whose deliveries it handles',
    ),
  ),
})
export type Handler = v.InferOutput<typeof Handler>

export const Handlers = object({
  handlers: list(Handler, 'Those of this process first, then the others that are registered or paused'),
})

export const HandlerDetail = object({ ...Handler.entries, series: HandlerSeries })
export type HandlerDetail = v.InferOutput<typeof HandlerDetail>
