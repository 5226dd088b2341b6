/**
 * The answers of the API, and their types for the server and the dashboard. Members without a value are absent, except
 * percentiles, which are `null`.
 */
import * as v from 'valibot'
import { missedDeliveryStates } from '../../../inbox/missed-deliveries.ts'
import { deliveryStates } from '../../../inbox/records.ts'
import { problems } from '../../problem.ts'
import {
  bytes,
  count,
  duration,
  flag,
  headers,
  list,
  missedDeliveryCounts,
  object,
  optional,
  outcome,
  role,
  text,
  timestamp,
} from './parts.ts'
import { Histogram, Series } from './series.ts'

export * from './handlers.ts'
export type { Percentiles } from './parts.ts'
export { Histogram, Series }

export const DeliverySummary = object({
  id: count,
  source: text,
  hookId: text,
  guid: text,
  event: text,
  state: v.picklist(deliveryStates),
  size: bytes,
  receivedAt: timestamp,
  attempts: v.pipe(count, v.description('Attempts of the handler with the most attempts')),
  duplicates: count,
  conflict: flag,
  replayed: flag,
  pulled: flag,
  action: optional(text),
  repository: optional(text),
  sender: optional(text),
  title: optional(text),
  ref: optional(text),
  sha: optional(text),
  number: optional(count),
  nextAttemptAt: optional(timestamp),
  duration: optional(duration),
  failure: optional(object({ handler: text, error: optional(text) })),
  editedFrom: optional(count),
  pausedHandlers: optional(
    v.pipe(list(text), v.description('The paused handlers that still have to handle the delivery')),
  ),
})
export type DeliverySummary = v.InferOutput<typeof DeliverySummary>
export type DeliveryState = DeliverySummary['state']

export const Page = object({
  deliveries: list(DeliverySummary),
  scanned: count,
  left: count,
  next: optional(v.pipe(text, v.description('The parameter cursor of the next page'))),
  reached: optional(v.pipe(count, v.description('The lowest id that was searched'))),
  tooLarge: optional(count),
})
export type Page = v.InferOutput<typeof Page>

export const AttemptDetail = object({
  number: count,
  startedAt: timestamp,
  outcome,
  duration: optional(duration),
  error: optional(text),
  result: optional(text),
  log: optional(text),
})
export type AttemptDetail = v.InferOutput<typeof AttemptDetail>

export const TaskDetail = object({
  handler: text,
  state: v.picklist(['pending', 'running', 'retrying', 'done', 'dead', 'discarded', 'gone']),
  attempts: list(AttemptDetail),
  key: optional(text),
  nextAttemptAt: optional(timestamp),
  failureGroup: optional(v.pipe(count, v.description('The failure group of its latest failure'))),
  uncounted: optional(v.pipe(count, v.description('Number of attempts that do not count against the limit'))),
})
export type TaskDetail = v.InferOutput<typeof TaskDetail>

export const DeliveryDetail = object({
  ...DeliverySummary.entries,
  headers,
  sha256: text,
  form: v.picklist(['json', 'form']),
  storedAt: timestamp,
  tasks: list(TaskDetail),
  address: optional(text),
  secretId: optional(text),
  secretIndex: optional(count),
  algorithm: optional(text),
  ackedAt: optional(timestamp),
  reason: optional(text),
  sameBodyAs: optional(v.pipe(count, v.description('The oldest delivery with the same body, if this one is replayed'))),
  rerun: optional(
    v.pipe(v.boolean(), v.description('If it waits for its match: whether handlers that have succeeded run again')),
  ),
})
export type DeliveryDetail = v.InferOutput<typeof DeliveryDetail>

export const FailureGroup = object({
  id: count,
  handler: text,
  error: v.pipe(text, v.description('The normalized error')),
  tasks: object({ dead: count, retrying: count, pending: count, running: count }),
  firstAt: timestamp,
  lastAt: timestamp,
  returnedAt: optional(v.pipe(timestamp, v.description('When it failed again after all failures had been resolved'))),
  hours: v.pipe(list(count), v.description('Failed attempts in each of the last 24 hours, oldest first')),
  repositories: v.pipe(
    list(object({ repository: text, count })),
    v.description('The repositories with the most of the newest 50 tasks'),
  ),
})
export type FailureGroup = v.InferOutput<typeof FailureGroup>

export const Failures = object({
  failures: list(FailureGroup),
  total: v.pipe(count, v.description('Groups on all pages')),
  next: optional(v.pipe(text, v.description('The parameter cursor of the next page'))),
})
export type Failures = v.InferOutput<typeof Failures>

export const FailureDetail = object({
  ...FailureGroup.entries,
  example: optional(
    object({
      id: v.pipe(count, v.description('The id of the delivery')),
      event: text,
      guid: text,
      receivedAt: timestamp,
      action: optional(text),
      repository: optional(text),
      title: optional(text),
      attempt: optional(AttemptDetail),
    }),
  ),
})
export type FailureDetail = v.InferOutput<typeof FailureDetail>

export const Count = object({ count, next: optional(text) })
export const Created = object({ id: optional(count), guid: text })
export const Signature = object({ signature: text, algorithm: v.literal('sha256'), url: optional(text) })

export const Rejection = object({
  at: timestamp,
  code: text,
  status: count,
  source: text,
  headers,
  reason: optional(text),
  address: optional(text),
  event: optional(text),
  guid: optional(text),
})
export type Rejection = v.InferOutput<typeof Rejection>

export const Rejections = object({ latest: list(Rejection), counts: v.record(v.string(), count) })
export type Rejections = v.InferOutput<typeof Rejections>

export const RegisteredProcess = object({
  id: text,
  role,
  host: text,
  pid: count,
  version: text,
  startedAt: timestamp,
  seenAt: timestamp,
  problems: optional(
    v.pipe(
      list(object({ code: text, message: optional(text), handler: optional(text), count: optional(count) })),
      v.readonly(),
    ),
  ),
})
export type RegisteredProcess = v.InferOutput<typeof RegisteredProcess>

export const Processes = object({ processes: list(RegisteredProcess) })

export const Receiver = object({
  url: v.pipe(text, v.description('Its URL on this machine')),
  publicUrl: optional(v.pipe(text, v.description('The URL that GitHub delivers to, if the server knows it'))),
  heldBytes: bytes,
  heldLimit: bytes,
  origin: v.union([flag, v.literal('warn')]),
  signature: flag,
  ranges: optional(object({ count, fetchedAt: optional(timestamp), failing: optional(text) })),
})

const warningCodes = [
  ...(['ranges_failing', 'origin_unchecked', 'unsigned', 'wrong_signatures', 'all_rejected', 'old_secret'] as const),
  ...(['not_stored', 'slow_answers', 'dead', 'paused', 'not_handled', 'store_failing', 'handler_overdue'] as const),
  ...(['memory_exhausted', 'missed', 'recovery_failing', 'upkeep_failing', 'old_transaction'] as const),
]

const Warning = object({ code: v.picklist(warningCodes), message: text, cure: text })
export type Warning = v.InferOutput<typeof Warning>
export type WarningCode = Warning['code']

export const Stats = object({
  states: object(v.entriesFromList(deliveryStates, count)),
  handlers: list(text),
  paused: list(text),
  size: bytes,
  missedDeliveries: missedDeliveryCounts,
  process: object({
    version: text,
    role: optional(role),
    uptime: duration,
    memory: object({ rss: bytes, heapUsed: bytes }),
  }),
  processes: list(RegisteredProcess),
  series: Series,
  warnings: list(Warning),
  oldestUnfinished: optional(timestamp),
  receiver: optional(Receiver),
})
export type Stats = v.InferOutput<typeof Stats>

export const MissedDelivery = object({
  hookId: text,
  guid: text,
  target: text,
  event: text,
  action: optional(text),
  deliveryId: text,
  deliveredAt: timestamp,
  status: text,
  state: v.picklist(missedDeliveryStates),
  requests: count,
  requestedAt: optional(timestamp),
  expiresAt: timestamp,
})
export type MissedDelivery = v.InferOutput<typeof MissedDelivery>
export type MissedDeliveryState = MissedDelivery['state']

export const SweepReport = object({
  target: text,
  hookId: optional(text),
  from: optional(timestamp),
  sent: count,
  unhandled: count,
  counts: missedDeliveryCounts,
  fetched: count,
  calls: count,
  error: optional(text),
})
export type SweepReport = v.InferOutput<typeof SweepReport>

export const SweepResult = object({ reports: list(SweepReport), missedDeliveries: list(MissedDelivery) })
export type SweepResult = v.InferOutput<typeof SweepResult>
export const Recovery = object({
  canSweep: v.pipe(flag, v.description('Whether this process can run a sweep')),
  counts: missedDeliveryCounts,
  missedDeliveries: list(MissedDelivery),
  last: optional(object({ at: timestamp, reports: list(object({ ...SweepReport.entries, at: timestamp })) })),
})
export type Recovery = v.InferOutput<typeof Recovery>

const Finding = object({
  what: text,
  state: v.picklist(['fine', 'warning', 'failed']),
  found: text,
  cure: optional(v.pipe(text, v.description('How to fix it'))),
})
export type Finding = v.InferOutput<typeof Finding>

const readonlyTexts = v.pipe(list(text), v.readonly())
const permissions = v.record(v.string(), optional(text))

const WebhookStatus = object({
  name: v.pipe(text, v.description('As on the command line: acme/shop#7, or app')),
  url: optional(v.pipe(text, v.description('Without parts that may be secret. Absent if no single webhook was found'))),
  events: readonlyTexts,
  findings: list(Finding),
  newest: v.pipe(
    list(
      object({
        guid: text,
        deliveredAt: timestamp,
        event: text,
        action: optional(text),
        status: v.pipe(text, v.description('The text of GitHub, such as OK')),
        ok: flag,
      }),
    ),
    v.description("The newest deliveries in GitHub's log, newest first, at most 10"),
  ),
})
export type WebhookStatus = v.InferOutput<typeof WebhookStatus>

const Installation = object({
  id: text,
  account: text,
  coversAll: v.pipe(flag, v.description('Whether it covers all repositories of the account')),
  permissions,
  events: readonlyTexts,
  isSuspended: flag,
  page: text,
})
export type Installation = v.InferOutput<typeof Installation>

const AppStatus = object({
  name: text,
  page: text,
  settings: v.pipe(text, v.description('The page on which the owner changes the App')),
  permissions,
  events: readonlyTexts,
  findings: list(Finding),
  installations: list(Installation),
})
export type AppStatus = v.InferOutput<typeof AppStatus>

const GitHubStatus = object({
  checkedAt: timestamp,
  webhooks: list(WebhookStatus),
  app: optional(AppStatus),
  problems: v.pipe(list(object({ target: text, problem: text })), v.description('What GitHub did not show, and why')),
})
export const GitHub = object({
  status: optional(
    v.pipe(GitHubStatus, v.description('Absent if the server has no credentials, or neither an App nor webhooks')),
  ),
})
export type GitHub = v.InferOutput<typeof GitHub>

const RateLimit = object({
  caller: v.pipe(text, v.description('token, or an App or installation with its id, such as installation 7')),
  resource: v.pipe(text, v.description('As GitHub names it, such as core or search')),
  limit: v.pipe(count, v.description('Requests that GitHub allows until the limit resets')),
  remaining: v.pipe(count, v.description('Requests that were left at the latest response')),
  resetAt: timestamp,
})
export type RateLimit = v.InferOutput<typeof RateLimit>
export const RateLimits = object({
  limits: v.pipe(list(RateLimit), v.description('Those with the smallest share of requests left first, at most 100')),
})
export type RateLimits = v.InferOutput<typeof RateLimits>

export const Schedule = object({
  name: text,
  time: v.pipe(text, v.description('A cron text, or "every" and an interval')),
  timezone: optional(text),
  each: optional(v.picklist(['installation', 'repository'])),
  missed: v.picklist(['latest', 'skip']),
  handledUntil: v.pipe(timestamp, v.description('The latest time that was handled; milliseconds since 1970')),
  next: optional(timestamp),
  paused: flag,
  last: optional(object({ id: count, at: timestamp, state: v.picklist(deliveryStates) })),
})
export type Schedule = v.InferOutput<typeof Schedule>
export const Schedules = object({ schedules: list(Schedule) })

export const Paused = object({ paused: list(text) })
export const Values = object({ values: list(text) })

const SampleCount = object({ event: text, count, action: optional(text) })
export type SampleCount = v.InferOutput<typeof SampleCount>
export const Samples = object({ samples: list(SampleCount) })

const Sample = object({ event: text, payload: v.record(v.string(), v.unknown()), action: optional(text) })
export type Sample = v.InferOutput<typeof Sample>
export const SamplePayloads = object({ samples: list(Sample) })

export const Description = v.record(v.string(), v.unknown())

/** RFC 9457. */
export const Problem = object({
  status: count,
  title: text,
  detail: text,
  code: v.picklist(Object.keys(problems) as (keyof typeof problems)[]),
  errors: optional(list(object({ name: text, expected: text }))),
})
export type Problem = v.InferOutput<typeof Problem>
