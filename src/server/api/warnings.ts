import type { Sweep } from '../../github/recovery/recovery.ts'
import type { ReceiverStatus } from '../../http.ts'
import { minute } from '../../inbox/counts.ts'
import type { RegisteredProcess, WorkerProblem } from '../../inbox/processes.ts'
import type { InboxOverview } from '../../inbox/records.ts'
import type { Warning, WarningCode } from './schemas/responses.ts'
import type { Series } from './series.ts'

interface Observed {
  hour: Series
  overview: InboxOverview
  /** Of this process's receiver, if it has one. */
  status: ReceiverStatus | undefined
  /** The last recovery sweep, if there was one. */
  sweep: Sweep | undefined
  processes: readonly RegisteredProcess[]
  /** Whether the server runs with --dev. Then it listens on loopback only, and checks no origin on purpose. */
  dev: boolean
  now: number
}

/** Milliseconds for which deliveries may wait while no handler runs. */
const maxIdle = 5 * minute
/** Milliseconds. GitHub closes the connection after ten seconds. */
const slowAnswer = 5000

/** The condition of each warning. `undefined` if it does not apply. */
const rules: Readonly<Record<WarningCode, (observed: Observed) => [message: string, cure: string] | undefined>> = {
  ranges_failing({ status }) {
    const { failing, fetchedAt } = status?.ranges ?? {}
    if (failing === undefined) return undefined
    const effect = fetchedAt === undefined ? 'deliveries are rejected' : 'the last list is used for a week at most'
    const cure = 'make sure that this machine reaches the API of GitHub; a token (GITHUB_TOKEN) has a higher rate limit'
    return [`The list of GitHub's addresses cannot be fetched (${failing}): ${effect}`, cure]
  },
  origin_unchecked: ({ status, dev }) =>
    status && status.origin !== true && !dev
      ? ['Deliveries may come from any address', 'set --validate-ip true once GitHub reaches this server']
      : undefined,
  unsigned: ({ status }) =>
    status?.signature === false
      ? ['Signatures are not checked: anyone can send deliveries', 'set a secret, and --validate-signature true']
      : undefined,
  wrong_signatures: ({ hour }) =>
    sentence(
      rejectionsOf(hour, 'wrong_signature', 'missing_signature'),
      'rejected in the last hour, since their signature was wrong or missing',
      'compare the secret of the webhook on GitHub with the one here; GET /api/rejected and the log say more',
    ),
  all_rejected: ({ hour }) =>
    hour.total('received') === 0
      ? sentence(
          rejectionsOf(hour, 'forbidden_origin'),
          "rejected for their address in the last hour, and none accepted: they do not come from GitHub's",
          'behind a proxy, name it with --trust-proxy',
        )
      : undefined,
  old_secret: ({ hour }) =>
    sentence(
      hour.total('secrets') - hour.total('secrets', { name: '0' }),
      'signed with an old secret in the last hour',
      'enter the first secret at every webhook on GitHub before you remove the old one',
    ),
  not_stored: ({ hour }) =>
    sentence(
      rejectionsOf(hour, 'inbox_unavailable', 'overloaded'),
      'not stored in the last hour: GitHub counts them as failed',
      'check that the database answers and has space, and that the machine is not overloaded; redeliver them on GitHub',
    ),
  slow_answers({ hour }) {
    const { p99 = 0 } = hour.answers().whole ?? {}
    if (p99 < slowAnswer) return undefined
    const cure = 'look for a busy disk or processor; run the handlers in a process of their own (--role worker)'
    return [`One answer of a hundred takes ${p99} ms or more, and GitHub closes the connection after 10 s`, cure]
  },
  dead: ({ overview }) =>
    sentence(
      overview.states.dead,
      'given up: a handler failed for the last time',
      'find out why (hookserver deliveries list --state dead), fix it, and retry them',
    ),
  paused({ overview }) {
    const { paused } = overview
    if (paused.length === 0) return undefined
    const who = paused.includes('*') ? 'All handlers' : `These handlers (${paused.join(', ')})`
    return [`${who} are paused: no attempts are started`, 'resume them: hookserver resume']
  },
  not_handled({ hour, overview, now }) {
    const { pending, running } = overview.states
    const idle = hour.total('attempts', { since: now - maxIdle - minute }) === 0
    const old = now - (overview.oldestUnfinished ?? now) > maxIdle
    if (pending === 0 || running > 0 || !idle || !old || overview.paused.length > 0) return undefined
    const cure = 'start a worker: hookserver serve hooks.ts --role worker'
    return [`${pending} deliveries wait, and no handler has run for five minutes`, cure]
  },
  handler_overdue({ processes }) {
    const found = problemsOf(processes, 'handler_overdue')
    if (found.length === 0) return undefined
    const list = found.map(([where, { handler, count }]) => `${count} of ${handler} on ${where}`).join(', ')
    const cure = 'handlers must heed delivery.signal; to end the running attempts, restart the process'
    return [`Attempts run on after their timeout, and count for "concurrency": ${list}`, cure]
  },
  memory_exhausted({ processes }) {
    const found = problemsOf(processes, 'memory_exhausted')
    if (found.length === 0) return undefined
    const list = found.map(([where]) => where).join(', ')
    const cure = 'raise that option, or give handlers of large payloads a shorter "timeout"'
    return [`Large payloads wait on ${list}: running handlers use all the memory that "runningLimit" allows`, cure]
  },
  missed({ overview }) {
    const { missed, requested, expired } = overview.missedDeliveries
    const cure = 'GET /api/recovery lists them, with the status that GitHub got: make this server reachable for GitHub'
    const sentences = [
      sentence(missed + requested, 'missed, and not fetched yet', cure),
      sentence(expired, 'missed, and can be fetched no more', cure),
    ]
    const messages = sentences.flatMap((one) => one?.[0] ?? [])
    return messages.length > 0 ? [messages.join('; '), cure] : undefined
  },
  recovery_failing({ sweep }) {
    const failing = sweep?.reports.find(({ error }) => error !== undefined)
    if (!failing) return undefined
    const cure = 'fix this soon, since GitHub keeps deliveries for days only; "hookserver recover --dry-run" tests it'
    return [`Some missed deliveries of ${failing.target} cannot be fetched: ${failing.error}`, cure]
  },
  upkeep_failing: ({ overview: { failing } }) =>
    failing === undefined
      ? undefined
      : [`The maintenance of the inbox fails: ${failing}`, 'hookserver doctor finds missing permissions'],
}

export function warnings(observed: Observed): Warning[] {
  return (Object.keys(rules) as WarningCode[]).flatMap((code) => {
    const [message, cure] = rules[code](observed) ?? []
    return message === undefined || cure === undefined ? [] : [{ code, message, cure }]
  })
}

/** The problems of this kind, and the processes that have them. */
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
