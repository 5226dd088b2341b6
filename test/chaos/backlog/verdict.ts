import type { Line } from '../../campaign/journal.ts'
import type { InboxContents } from '../../campaign/verdict.ts'
import type { Backlog } from './deliveries.ts'
import { endingOf, isLastAttempt } from './handler.ts'
import { type Excuses, OrderCheck } from './order-check.ts'

/** An operator's retry of one delivery. */
export interface OperatorRetry {
  guid: string
  /** The number of lines in the journal before the retry. */
  after: number
  /** Whether the delivery had ended, so that it must run again. */
  hadEnded: boolean
}

export interface BacklogVerdict {
  lost: string[]
  wrong: string[]
  handled: number
  expired: number
  late: number
}

/** Compares an inbox without unfinished deliveries with the stored deliveries and the journal of the handler. */
export function judgeBacklog(
  backlog: Backlog,
  lines: readonly Line[],
  contents: InboxContents,
  { interrupted, retries }: { interrupted: ReadonlySet<number>; retries: readonly OperatorRetry[] },
): BacklogVerdict {
  const expiredRows = contents.attempts.filter(({ outcome }) => outcome === 'cut off')
  const excuses: Excuses = {
    interrupted,
    retried: new Set(retries.map(({ guid }) => guid)),
    expired: new Set(expiredRows.map(({ guid }) => guid)),
    expiredLast: new Set(expiredRows.filter(({ number }) => isLastAttempt(number)).map(({ guid }) => guid)),
  }
  const order = new OrderCheck(backlog, excuses).check(lines)
  const finished = new Set(lines.filter(({ mark }) => mark === '=').map(({ guid }) => guid))
  return {
    lost: [...lostOf(backlog, contents, finished), ...notRetried(lines, retries)],
    wrong: [...order.wrong, ...runTooOften(lines, contents, retries)],
    handled: finished.size,
    expired: expiredRows.length,
    late: order.late,
  }
}

function* lostOf(backlog: Backlog, { deliveries }: InboxContents, finished: ReadonlySet<string>): Generator<string> {
  const states = new Map(deliveries.map(({ guid, state }) => [guid, state]))
  for (const guid of backlog.byGuid.keys()) {
    const [state, expected] = [states.get(guid), endingOf(guid)]
    if (state !== expected) yield `${guid} is ${state ?? 'not stored'}, but should be ${expected}`
    else if (expected === 'done' && !finished.has(guid)) yield `${guid} was never handled`
  }
}

function* notRetried(lines: readonly Line[], retries: readonly OperatorRetry[]): Generator<string> {
  const lastBegun = new Map<string, number>()
  for (const [index, { mark, guid }] of lines.entries()) if (mark === '+') lastBegun.set(guid, index)
  for (const { guid, after, hadEnded } of retries) {
    if (hadEnded && (lastBegun.get(guid) ?? -1) < after) yield `${guid} did not run again after an operator's retry`
  }
}

/** Each run must be an attempt in the inbox. A delivery succeeds at most once, plus once for each operator's retry. */
function* runTooOften(
  lines: readonly Line[],
  { attempts }: InboxContents,
  retries: readonly OperatorRetry[],
): Generator<string> {
  const claimed = countByGuid(lines.filter(({ mark }) => mark === '+'))
  const made = countByGuid(attempts)
  const succeeded = countByGuid(attempts.filter(({ outcome }) => outcome === 'succeeded'))
  const retried = countByGuid(retries)
  for (const [guid, count] of claimed) {
    if (count > (made.get(guid) ?? 0)) yield `${guid} ran ${count} times, but has ${made.get(guid) ?? 0} attempts`
  }
  for (const [guid, count] of succeeded) {
    const allowed = 1 + (retried.get(guid) ?? 0)
    if (count > allowed) yield `${guid} succeeded ${count} times, and may succeed ${allowed} times`
  }
}

function countByGuid(items: readonly { guid: string }[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { guid } of items) counts.set(guid, (counts.get(guid) ?? 0) + 1)
  return counts
}
