import type { PollFailure } from '../../github/polling/polling.ts'
import type { Sweep } from '../../github/recovery/recovery.ts'
import type { ReceiverStatus } from '../../http.ts'
import type { DeliveryReader } from '../../inbox/inbox.ts'
import { allHandlers } from '../../inbox/pauses.ts'
import type { RegisteredProcess, WorkerProblem } from '../../inbox/processes.ts'
import type { InboxOverview } from '../../inbox/records.ts'
import { minute } from '../../runtime/units.ts'
import { describeFailures } from '../maintenance-failures.ts'
import { describeOldTransaction } from '../old-transaction.ts'
import type { Warning, WarningCode } from './schemas/responses.ts'
import type { Series } from './series.ts'

interface Observed {
  hour: Series
  overview: InboxOverview
  /** Whether `hasWaited` found a delivery that has waited too long. */
  hasWaited: boolean
  /** The status of the receiver of this process, if it has one. */
  status: ReceiverStatus | undefined
  /** The last recovery sweep, if there was one. */
  sweep: Sweep | undefined
  /** The webhooks whose latest poll by this process has failed. */
  polls: readonly PollFailure[]
  processes: readonly RegisteredProcess[]
  /**
   * Whether the server runs with --dev. Such a server listens on loopback only, and does not check origins. That is
   * intended, so it causes no warning.
   */
  dev: boolean
  now: number
}

/** Milliseconds that deliveries may wait while no handler runs. */
const maxIdle = 5 * minute
/** The maximum number of pending deliveries to look at. */
const maxPending = 500
/** Milliseconds: half of the 10 s after which GitHub closes the connection. */
const slowAnswer = 5000

/** The rule of each warning. It returns `undefined` if the warning does not apply. */
const rules: Readonly<Record<WarningCode, (observed: Observed) => [message: string, cure: string] | undefined>> = {
  ranges_failing({ status }) {
    const { failing, fetchedAt } = status?.ranges ?? {}
    if (failing === undefined) return undefined
    const effect =
      fetchedAt === undefined
        ? 'all deliveries are rejected, unless --validate-ip is warn'
        : 'the last list stays in use for up to a week'
    const cure = "check that this machine can reach GitHub's API; set GITHUB_TOKEN for a higher rate limit"
    return [`GitHub's address ranges cannot be fetched (${failing}): ${effect}`, cure]
  },
  origin_unchecked: ({ status, dev }) =>
    status && status.origin !== true && !dev
      ? ['Deliveries may come from any address', 'set --validate-ip true once GitHub reaches this server']
      : undefined,
  unsigned: ({ status }) =>
    status?.signature === false
      ? ['Signatures are not checked, so anyone can send deliveries', 'set a secret, and --validate-signature true']
      : undefined,
  wrong_signatures: ({ hour }) =>
    sentence(
      rejectionsOf(hour, 'wrong_signature', 'missing_signature'),
      'rejected in the last hour because of a wrong or missing signature',
      'compare the secret of the webhook on GitHub with the secret here; GET /api/v1/rejections and the log have details',
    ),
  all_rejected: ({ hour }) =>
    hour.total('received') === 0
      ? sentence(
          rejectionsOf(hour, 'forbidden_origin'),
          'rejected in the last hour because of their address, and none was accepted',
          'if a proxy is in front of this server, name it with --trust-proxy',
        )
      : undefined,
  old_secret: ({ hour }) =>
    sentence(
      hour.total('secrets') - hour.total('secrets', { name: '0' }),
      'signed with an old secret in the last hour',
      'enter the new secret in every webhook on GitHub before you remove the old one',
    ),
  not_stored: ({ hour }) =>
    sentence(
      rejectionsOf(hour, 'inbox_unavailable', 'overloaded'),
      'not stored in the last hour, and GitHub shows them as failed',
      'check that the database answers and has space, and that the machine is not overloaded; then redeliver them',
    ),
  slow_answers({ hour }) {
    const { p99 = 0 } = hour.answers().whole ?? {}
    if (p99 < slowAnswer) return undefined
    const cure = 'check the disk and the CPU; run the handlers in a separate process (--role worker)'
    return [`1 % of the answers took ${p99} ms or longer, and GitHub closes the connection after 10 s`, cure]
  },
  dead: ({ overview }) =>
    sentence(
      overview.states.dead,
      'not handled: a handler failed in its last attempt, or the payload could not be parsed',
      'list them (hookserver deliveries list --state dead), fix the cause, and retry them',
    ),
  paused({ overview }) {
    const { paused } = overview
    if (paused.length === 0) return undefined
    const all = paused.includes(allHandlers)
    const who = all ? 'All handlers' : `These handlers (${paused.join(', ')})`
    return [`${who} are paused`, `resume them: hookserver handlers resume ${all ? '--all' : '<name>'}`]
  },
  not_handled({ hour, overview, hasWaited, now }) {
    const { pending, running } = overview.states
    const idle = hour.total('attempts', { since: now - maxIdle - minute }) === 0
    if (!hasWaited || running > 0 || !idle || overview.paused.length > 0) return undefined
    const cure = 'start a worker: hookserver serve hooks.ts --role worker'
    const waiting = pending === 1 ? '1 delivery is' : `${pending} deliveries are`
    return [`${waiting} pending, and no handler has run for five minutes`, cure]
  },
  store_failing({ processes }) {
    const found = problemsOf(processes, 'store_failing')
    if (found.length === 0) return undefined
    const list = found.map(([where, { message }]) => `${where}: ${message}`).join('; ')
    return [
      `No handler starts, because the inbox fails on ${list}`,
      'fix the cause: the handlers then start by themselves',
    ]
  },
  handler_overdue({ processes }) {
    const found = problemsOf(processes, 'handler_overdue')
    if (found.length === 0) return undefined
    const list = found.map(([where, { handler, count }]) => `${count} of ${handler} on ${where}`).join(', ')
    const cure = 'make the handlers stop when delivery.signal aborts; restart the process to end these attempts'
    return [`Attempts still run after their timeout and use up "concurrency": ${list}`, cure]
  },
  memory_exhausted({ processes }) {
    const found = problemsOf(processes, 'memory_exhausted')
    if (found.length === 0) return undefined
    const list = found.map(([where]) => where).join(', ')
    const cure = 'raise "payloadMemory", or set a shorter "timeout" for handlers of large payloads'
    return [`Large payloads wait for memory in ${list}: running handlers use all that "payloadMemory" allows`, cure]
  },
  missed({ overview }) {
    const { missed, requested, expired } = overview.missedDeliveries
    const cure =
      'make sure that GitHub can reach this server; GET /api/v1/recovery lists them, with the status that GitHub got'
    const sentences = [
      sentence(missed + requested, 'missed and not recovered yet', cure),
      sentence(expired, 'missed and can no longer be recovered', cure),
    ]
    const messages = sentences.flatMap((one) => one?.[0] ?? [])
    return messages.length > 0 ? [messages.join('; '), cure] : undefined
  },
  recovery_failing({ sweep }) {
    const failing = sweep?.reports.find(({ error }) => error !== undefined)
    if (!failing) return undefined
    const cure =
      'fix this soon: GitHub keeps deliveries for only a few days; test the fix with "hookserver recover --dry-run"'
    return [`Recovery of missed deliveries fails for ${failing.target}: ${failing.error}`, cure]
  },
  pull_failing: ({ polls: [failing] }) =>
    failing && [
      `The deliveries of ${failing.target} cannot be fetched: ${failing.error}`,
      'fix this soon: GitHub keeps deliveries for only a few days; "hookserver doctor" checks the webhook',
    ],
  upkeep_failing: ({ overview: { failing } }) =>
    failing === undefined
      ? undefined
      : [
          `Maintenance of the inbox fails: ${describeFailures(failing)}`,
          'fix the cause: the next run then succeeds; hookserver doctor finds missing permissions',
        ],
  old_transaction: ({ overview }) => overview.oldTransaction && describeOldTransaction(overview.oldTransaction),
}

/**
 * Whether an attempt of a pending delivery could have started five minutes ago. The delay of a handler does not count.
 * If too many deliveries are pending to look at, the answer is `true`.
 */
export async function hasWaited(
  inbox: Pick<DeliveryReader, 'list'>,
  { states, oldestUnfinished }: InboxOverview,
  now: number,
): Promise<boolean> {
  const until = now - maxIdle
  if (states.pending === 0 || (oldestUnfinished ?? now) >= until) return false
  const { deliveries, next } = await inbox.list({ state: 'pending', until, limit: maxPending })
  return next !== undefined || deliveries.some(({ nextAttemptAt = 0 }) => nextAttemptAt < until)
}

export function warnings(observed: Observed): Warning[] {
  return (Object.keys(rules) as WarningCode[]).flatMap((code) => {
    const [message, cure] = rules[code](observed) ?? []
    return message === undefined || cure === undefined ? [] : [{ code, message, cure }]
  })
}

/** The worker problems with this code, each with the process that has it. */
function problemsOf(
  processes: readonly RegisteredProcess[],
  code: WorkerProblem['code'],
): [where: string, problem: WorkerProblem][] {
  return processes.flatMap(({ host, pid, problems = [] }) => {
    return problems
      .filter((problem) => problem.code === code)
      .map((problem): [string, WorkerProblem] => [`${host} (process ${pid})`, problem])
  })
}

const rejectionsOf = (hour: Series, ...codes: string[]): number =>
  codes.reduce((sum, name) => sum + hour.total('rejected', { name }), 0)

/** A warning about a number of deliveries. `undefined` if the number is 0. */
function sentence(count: number, what: string, cure: string): [string, string] | undefined {
  if (count === 0) return undefined
  return [`${count} ${count === 1 ? 'delivery was' : 'deliveries were'} ${what}`, cure]
}
