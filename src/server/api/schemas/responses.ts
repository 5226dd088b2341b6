/**
 * The answers of the API, and their types for the server and the dashboard. Members without a value are absent, except
 * percentiles, which are `null`.
 */
import * as v from 'valibot'
import { deliveryStates, taskStates } from '../../../inbox/records.ts'
import { problems } from '../../problem.ts'
import { described } from '../../schema.ts'
import {
  action,
  bytes,
  count,
  cursor,
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
  texts,
  timestamp,
  word,
} from './parts.ts'
import { Histogram, Series } from './series.ts'

export * from './github.ts'
export * from './handlers.ts'
export type { Percentiles } from './parts.ts'
export { Histogram, Series }

const repository = optional(text('The repository, as owner/name'))
const title = optional(
  text('The title of the issue or pull request, the message of the commit, or the result of the run'),
)

export const DeliverySummary = object({
  id: count('The id in this inbox'),
  source: text('The mount that received it: its path, unless the option "source" sets another name'),
  hookId: text('The id of the webhook (X-GitHub-Hook-ID), or empty'),
  guid: text('The GUID (X-GitHub-Delivery). A redelivery keeps it, and all webhooks that receive an event share it'),
  event: text('The event (X-GitHub-Event), without the action'),
  state: word(deliveryStates, 'The state, which follows from the states of its tasks'),
  size: bytes('The size of the body'),
  receivedAt: timestamp('When the server received it'),
  attempts: count('Attempts of the handler with the most attempts, including a running one'),
  duplicates: count('Copies that arrived after it'),
  conflict: flag('Whether an older delivery has the same identity and other bytes'),
  replayed: flag('Whether the same bytes had arrived before under another GUID or event'),
  pulled: flag("Whether it was read from GitHub's API, so that its body may differ from the signed bytes"),
  ...{ action, repository },
  sender: optional(text('The login of the user who caused it')),
  title,
  ref: optional(text('The branch or tag')),
  sha: optional(text('The commit')),
  number: optional(count('The number of the issue, pull request or discussion')),
  nextAttemptAt: optional(timestamp('When its next attempt may start')),
  duration: optional(duration('The time that the attempts of all handlers took together. Absent until one has ended')),
  failure: optional(
    described(
      object({ handler: text('The handler that failed'), error: optional(text('The first line of the error')) }),
      'The latest failure among the handlers whose task is retrying or dead',
    ),
  ),
  editedFrom: optional(count('The id of the delivery that an operator edited to make this one')),
  pausedHandlers: optional(texts('The paused handlers that still have to handle the delivery')),
})
export type DeliverySummary = v.InferOutput<typeof DeliverySummary>
export type DeliveryState = DeliverySummary['state']

export const Page = object({
  deliveries: list(DeliverySummary, 'The deliveries of this page, newest first. May be empty although there is a next'),
  scanned: count('Deliveries that the server examined for this page'),
  left: count('An upper bound of the older deliveries, which the server has not examined'),
  next: optional(cursor),
  reached: optional(count('The lowest id that was searched. Absent on the last page')),
  tooLarge: optional(count('Payloads that did not match because they are too large to search')),
})
export type Page = v.InferOutput<typeof Page>

export const AttemptDetail = described(
  object({
    number: count('The number of the attempt, from 1'),
    startedAt: timestamp('When the attempt started'),
    outcome: outcome(
      'released: interrupted by a shutdown, or returned before the handler was called. cut off: its lease expired, for example because the process died',
    ),
    duration: optional(
      duration('How long it took. Absent while it runs, if it was cut off, and after a discard during the attempt'),
    ),
    error: optional(text('The error and its causes, with their stacks')),
    result: optional(
      text('The value that the handler returned: JSON for an object, otherwise its text; at most 16,384 characters'),
    ),
    log: optional(text('The log of the handler')),
  }),
  'One attempt of a handler',
)
export type AttemptDetail = v.InferOutput<typeof AttemptDetail>

export const TaskDetail = object({
  handler: text('The name of the handler'),
  state: word(taskStates, 'gone: the handler is not registered any more, or no longer matches'),
  attempts: list(AttemptDetail, 'Its attempts, oldest first'),
  key: optional(text('The order key: tasks of one handler with the same key run one at a time')),
  blockedBy: optional(count('The delivery whose task with the same order key has to end first')),
  nextAttemptAt: optional(timestamp('When its next attempt may start')),
  failureGroup: optional(count('The failure group of its latest failure, until the failure is resolved')),
  uncounted: optional(count('Attempts that do not count against the limit')),
})
export type TaskDetail = v.InferOutput<typeof TaskDetail>

export const DeliveryDetail = object({
  ...DeliverySummary.entries,
  headers: headers('The headers of the request. Those that authenticate the sender have another value'),
  sha256: text('The SHA-256 of the body, in hexadecimal'),
  form: word(['json', 'form'], 'The content type of the body: application/json or application/x-www-form-urlencoded'),
  storedAt: timestamp('When the inbox stored it'),
  tasks: list(TaskDetail, 'The task of each handler'),
  address: optional(text('The address of the sender, if it is known')),
  secretId: optional(text('The id of the secret that signed it, if a secret function gives ids')),
  secretIndex: optional(count('The position of the secret that signed it in the list of secrets, from 0')),
  algorithm: optional(text('The algorithm of its signature. Absent if the signature was not checked')),
  ackedAt: optional(timestamp('When the commit was complete; the reply follows')),
  reason: optional(text('Why it was discarded, why it ended before a handler saw it, or why a task is gone')),
  sameBodyAs: optional(count('The oldest delivery with the same body, if this one is replayed')),
  rerun: optional(flag('If it waits for its match: whether handlers that have succeeded run again')),
})
export type DeliveryDetail = v.InferOutput<typeof DeliveryDetail>

export const FailureGroup = object({
  id: count('The id, which follows from the handler and the error'),
  handler: text('The handler that failed'),
  error: text('The normalized error'),
  tasks: described(
    object({
      dead: count('Tasks without an attempt left'),
      retrying: count('Tasks that wait for a retry'),
      pending: count('Tasks that an operator has retried, and that wait'),
      running: count('Tasks that run again'),
    }),
    'The tasks of the group, by state',
  ),
  firstAt: timestamp('When an attempt first failed with this error'),
  lastAt: timestamp('When an attempt last failed with this error'),
  returnedAt: optional(timestamp('When it failed again after all failures had been resolved')),
  hours: list(count('Attempts'), 'Attempts that failed with this error in each of the last 24 hours, oldest first'),
  repositories: list(
    object({ repository: text('The repository, as owner/name'), count: count('Its tasks') }),
    'The repositories with the most of the newest 50 tasks, at most three',
  ),
})
export type FailureGroup = v.InferOutput<typeof FailureGroup>

export const Failures = object({
  failures: list(FailureGroup, 'The groups of this page, the latest failure first'),
  total: count('Groups on all pages'),
  next: optional(cursor),
})
export type Failures = v.InferOutput<typeof Failures>

export const FailureDetail = object({
  ...FailureGroup.entries,
  example: optional(
    described(
      object({
        id: count('The id of the delivery'),
        event: text('The event, without the action'),
        guid: text('The GUID of the delivery'),
        receivedAt: timestamp('When the server received the delivery'),
        ...{ action, repository, title },
        attempt: optional(AttemptDetail),
      }),
      'The newest failure of the group',
    ),
  ),
})
export type FailureDetail = v.InferOutput<typeof FailureDetail>

export const Count = object({
  count: count(
    'The number of changed deliveries, or of changed tasks of a failure group. With dryRun: of those to change',
  ),
  next: optional(text('Not all were reached: repeat the request with this value as "cursor", and add the counts')),
})
export const Created = object({ id: optional(count('The id of the delivery')), guid: text('The GUID of the delivery') })
export const Signature = object({
  signature: text('The value of the header X-Hub-Signature-256'),
  algorithm: described(v.literal('sha256'), 'The algorithm of the signature'),
  url: optional(text('The URL at which this process receives deliveries. Absent if it receives none')),
})

export const Rejection = object({
  at: timestamp('When the request was rejected'),
  code: text('The code of the error, such as wrong_signature'),
  status: count('The status of the reply'),
  source: text('The mount that rejected it'),
  headers: headers('The headers of the request, at most 4 KiB of them'),
  reason: optional(text('The reason in detail, which the sender does not see')),
  address: optional(text('The address of the client, if it is known')),
  event: optional(text('The event that the request named')),
  guid: optional(text('The GUID that the request named')),
})
export type Rejection = v.InferOutput<typeof Rejection>

export const Rejections = object({
  latest: list(Rejection, 'The newest 1,000 rejected requests, newest first'),
  counts: described(
    v.record(v.string(), count('Rejected requests')),
    'All rejected requests since the inbox was created, by code',
  ),
})
export type Rejections = v.InferOutput<typeof Rejections>

export const RegisteredProcess = object({
  id: text('A random id of this run of the process'),
  role: role('Whether it receives deliveries, runs handlers (worker), or both'),
  host: text('The name of its machine'),
  pid: count('Its process id on this machine'),
  version: text('Its version of hookserver'),
  startedAt: timestamp('When it started'),
  seenAt: timestamp('When it last sent a heartbeat'),
  silent: optional(
    described(v.literal(true), 'It has sent no heartbeat for 25 s, because it was killed, suspended or blocked'),
  ),
  problems: optional(
    described(
      v.pipe(
        v.array(
          object({
            code: text('store_failing, handler_overdue or memory_exhausted'),
            message: optional(text('With store_failing: the message of the error')),
            handler: optional(text('With handler_overdue: the handler')),
            count: optional(count('With handler_overdue: the ended attempts whose code still runs')),
          }),
        ),
        v.readonly(),
      ),
      'Why it does not run all due tasks',
    ),
  ),
})
export type RegisteredProcess = v.InferOutput<typeof RegisteredProcess>

export const Processes = object({ processes: list(RegisteredProcess, 'In the order in which they started') })

export const Receiver = described(
  object({
    url: text('Its URL on this machine'),
    publicUrl: optional(text('The URL that GitHub delivers to, if the server knows it')),
    heldBytes: bytes('The memory that is reserved for bodies now'),
    heldLimit: bytes('The limit of this memory: the option "bodyMemory"'),
    origin: described(
      v.union([v.boolean(), v.literal('warn')]),
      'Whether it rejects deliveries from other addresses than GitHub\'s; "warn": it only logs them',
    ),
    signature: flag('Whether it checks signatures'),
    ranges: optional(
      described(
        object({
          count: count('The number of address ranges'),
          fetchedAt: optional(timestamp('When the list was last fetched or confirmed. Absent while there is no list')),
          failing: optional(text('Why the last fetch failed, if it did')),
        }),
        "GitHub's list of addresses. Absent if the process fetches none",
      ),
    ),
  }),
  'The receiver of the process that answers. Absent in a worker, and in a server that pulls',
)

const warningCodes = [
  ...(['ranges_failing', 'origin_unchecked', 'unsigned', 'wrong_signatures', 'all_rejected', 'old_secret'] as const),
  ...(['not_stored', 'slow_answers', 'dead', 'paused', 'not_handled', 'store_failing', 'handler_overdue'] as const),
  ...(['memory_exhausted', 'missed', 'recovery_failing', 'pull_failing', 'upkeep_failing', 'old_transaction'] as const),
]

const Warning = object({
  code: word(warningCodes, 'The kind of the warning'),
  message: text('The problem'),
  cure: text('How to fix it'),
})
export type Warning = v.InferOutput<typeof Warning>
export type WarningCode = Warning['code']

export const Stats = object({
  states: described(
    object(v.entriesFromList(deliveryStates, count('Deliveries in this state'))),
    'The stored deliveries, by state',
  ),
  handlers: texts('The handlers of all registered workers'),
  paused: texts('The paused handlers; * stands for all'),
  size: bytes('The size of the inbox on disk'),
  missedDeliveries: missedDeliveryCounts('The missed deliveries, by state'),
  process: described(
    object({
      version: text('Its version of hookserver'),
      role: optional(role('Whether it receives deliveries, runs handlers (worker), or both')),
      uptime: duration('The time since it started'),
      memory: described(
        object({
          rss: bytes('The memory of the process'),
          heapUsed: bytes('The part of it that JavaScript objects use'),
        }),
        'Its memory',
      ),
    }),
    'The process that answers',
  ),
  processes: list(RegisteredProcess, 'The processes that share the inbox'),
  series: Series,
  warnings: list(Warning, 'Problems now, or in the last hour'),
  oldestUnfinished: optional(timestamp('When the oldest unfinished delivery was received')),
  recoverSince: timestamp('When the inbox began: recovery ignores earlier deliveries'),
  receiver: optional(Receiver),
})
export type Stats = v.InferOutput<typeof Stats>

export const Schedule = object({
  name: text('The name of the schedule, and of its handler'),
  time: text('A cron text, or "every" and an interval'),
  timezone: optional(text('The IANA time zone of the cron text. Absent for an interval')),
  each: optional(word(['installation', 'repository'], 'The schedule makes a delivery for each of these')),
  missed: word(
    ['latest', 'skip'],
    'If times pass while no worker runs. latest: a delivery for the latest of them is made later. skip: none',
  ),
  handledUntil: timestamp('The latest time that was handled, or the time of its registration'),
  next: optional(timestamp('The next time')),
  paused: flag('Whether its handler, or all handlers, are paused'),
  last: optional(
    described(
      object({
        id: count('The id of the delivery'),
        at: timestamp('When it was made'),
        state: word(deliveryStates, 'The state of the delivery'),
      }),
      'The newest delivery that a worker has matched',
    ),
  ),
})
export type Schedule = v.InferOutput<typeof Schedule>
export const Schedules = object({ schedules: list(Schedule, 'The schedules that workers have or had') })

export const Paused = object({ paused: texts('The paused handlers; * stands for all') })
export const Values = object({ values: texts('The values, in alphabetical order') })

const sampleAction = optional(text('The action. Absent for an event without actions'))

const SampleCount = object({
  event: text('The event, without the action'),
  count: count('The number of its samples'),
  action: sampleAction,
})
export type SampleCount = v.InferOutput<typeof SampleCount>
export const Samples = object({ samples: list(SampleCount, 'The events and actions that have samples') })

const Sample = object({
  event: text('The event, without the action'),
  payload: described(v.record(v.string(), v.unknown()), 'The payload'),
  action: sampleAction,
})
export type Sample = v.InferOutput<typeof Sample>
export const SamplePayloads = object({ samples: list(Sample, 'The samples of the event or the action') })

export const Description = v.record(v.string(), v.unknown())

/** RFC 9457. */
export const Problem = object({
  status: count('The status of the answer'),
  title: text('The code, in words'),
  detail: text('The mistake in this request, for people'),
  code: word(Object.keys(problems) as (keyof typeof problems)[], 'The kind of the problem, for programs'),
  errors: optional(
    list(
      object({ name: text('The parameter or member'), expected: text('The values that are valid') }),
      'With invalid_request: every parameter and member that is wrong',
    ),
  ),
})
export type Problem = v.InferOutput<typeof Problem>
