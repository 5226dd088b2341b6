import { isPaused } from './pauses.ts'
import type { DeliveryState, TaskState } from './records.ts'
import { deliveryStateOf } from './states.ts'
import type { HandlerPolicy, Match, MatchedTask } from './task-queue.ts'

/** A task that an earlier match of the delivery created. */
export interface ExistingTask {
  handler: string
  state: TaskState
  /** Whether its two latest leases have expired. Some stores have numbers for booleans. */
  suspect: boolean | number
  /** The order key. */
  key?: string | null | undefined
  fairKey?: string | null | undefined
}

/** A match of an unmatched delivery, and the data that the store has read for the decision. */
export interface MatchInput<Existing extends ExistingTask> {
  match: Match
  existing: readonly Existing[]
  /** Whether handlers that succeeded run again, see `rerunOf`. */
  rerun: boolean
  /** Whether the same bytes were received before under another GUID or event. */
  replayed: boolean
  /** See `isPaused`. */
  paused: ReadonlySet<string>
  now: number
  /**
   * Whether the task may run: it has no order key, or it is the first task with its order key and no other task with
   * this key runs.
   * @param claims Whether the worker claims the task if it may run.
   */
  isFirst(task: MatchedTask, claims: boolean): boolean
}

/** A task to insert, or to start again if the delivery already has it. Its `startAt` is missing if it is in the past. */
export interface NewTask extends MatchedTask {
  /**
   * `running`: the worker that matched the delivery has claimed it. `due`: any worker may claim it, from `startAt` on.
   * `blocked`: it waits for another task with its order key.
   */
  start: 'running' | 'due' | 'blocked'
}

/** The changes to write for a matched delivery. */
export interface MatchDecision<Existing extends ExistingTask> {
  state: DeliveryState
  reason?: string | undefined
  /** When the first task is due. `undefined` unless the delivery is `pending` and all of its tasks start later. */
  nextAt?: number | undefined
  tasks: readonly NewTask[]
  /** Tasks to end as `gone`: their handlers no longer match. */
  gone: readonly Existing[]
}

/**
 * Decides which tasks a match creates and which state its delivery gets:
 *
 * - If the payload is invalid, the delivery ends `dead`. If the delivery is a replay and `discardReplay` is set, it
 *   ends `discarded`, unless an operator has retried it: then `rerun` is set. In both cases, existing tasks stay as
 *   they are. The next rules apply to all other deliveries.
 * - If a handler matches, its task starts, or starts again. A running task stays as it is. So does a task that has
 *   succeeded, unless `rerun` is set. A task whose `startAt` is in the future is not claimed, and neither is a suspect,
 *   because only `claim` limits the number of suspects.
 * - If a handler no longer matches, its task ends `gone`, unless the task runs or has succeeded. `withOtherPrograms` has
 *   added the handlers that the matching worker does not know.
 * - The state of the delivery follows from its tasks, see `deliveryStateOf`.
 */
export function matchTasks<Existing extends ExistingTask>(input: MatchInput<Existing>): MatchDecision<Existing> {
  const { match, existing, rerun, replayed } = input
  if (match.invalid !== undefined) return { state: 'dead', reason: match.invalid, tasks: [], gone: [] }
  if (replayed && match.discardReplay && !rerun) {
    return {
      state: 'discarded',
      reason: 'A delivery with the same body arrived before, with another GUID or event',
      tasks: [],
      gone: [],
    }
  }
  const matched = new Set(match.tasks.map(({ handler }) => handler))
  const earlier = new Map(existing.map((task) => [task.handler, task]))
  const started = match.tasks.filter(({ handler }) => {
    const state = earlier.get(handler)?.state
    return state !== 'running' && (state !== 'done' || rerun)
  })
  const tasks = started.map((task) => startTask(task, !!earlier.get(task.handler)?.suspect, input))
  const unhandled = existing.filter(({ handler, state }) => {
    return !matched.has(handler) && state !== 'running' && state !== 'done'
  })
  const gone = unhandled.filter(({ state }) => state !== 'gone')

  const changed = new Set([...tasks, ...gone].map(({ handler }) => handler))
  const states: TaskState[] = [
    ...existing.filter(({ handler }) => !changed.has(handler)).map(({ state }) => state),
    ...tasks.map(({ start }) => (start === 'running' ? 'running' : 'pending')),
    ...gone.map(() => 'gone' as const),
  ]
  const state = deliveryStateOf(states)
  const firstStart = Math.min(...tasks.map(({ startAt = 0 }) => startAt))
  const nextAt = state === 'pending' && firstStart > 0 ? firstStart : undefined
  const [first] = unhandled
  const reason =
    first && `The task of ${first.handler} ended as gone, because this handler no longer matches the delivery`
  return { state, reason, nextAt, tasks, gone }
}

/** A registered worker, and its handlers. */
interface WorkerHandlers {
  id: number
  handlers: readonly Pick<HandlerPolicy, 'name'>[]
}

/** Whether a delivery has tasks whose handlers the match does not have. If so, call `withOtherPrograms`. */
export function lacksHandlers({ invalid, tasks }: Match, existing: readonly ExistingTask[]): boolean {
  return invalid === undefined && existing.some((one) => !tasks.some(({ handler }) => handler === one.handler))
}

/**
 * Adds the existing tasks whose handlers the matching worker does not know. Another version of the program may have these
 * handlers, and may be about to start, so the match must not end the tasks. They end as `gone` when no worker has
 * registered their handlers for the time `vanishAfter`. A task that has succeeded is added only if another worker has its
 * handler now: the task would otherwise lose its success.
 * @param worker The worker that has matched the delivery.
 */
export function withOtherPrograms(
  match: Match,
  existing: readonly ExistingTask[],
  worker: number,
  workers: readonly WorkerHandlers[],
): Match {
  const namesOf = ({ handlers }: WorkerHandlers) => handlers.map(({ name }) => name)
  const known = new Set(workers.filter(({ id }) => id === worker).flatMap(namesOf))
  for (const { handler } of match.tasks) known.add(handler)
  const registered = new Set(workers.flatMap(namesOf))
  const others = existing.filter(({ handler, state }) => {
    return !known.has(handler) && (state !== 'done' || registered.has(handler))
  })
  const added = others.map(({ handler, key, fairKey }): MatchedTask => {
    return { handler, key: key ?? undefined, fairKey: fairKey ?? undefined, claim: false }
  })
  return { ...match, tasks: [...match.tasks, ...added] }
}

function startTask(
  matched: MatchedTask,
  isSuspect: boolean,
  { paused, now, isFirst }: Pick<MatchInput<never>, 'paused' | 'now' | 'isFirst'>,
): NewTask {
  const { startAt = 0 } = matched
  const task = { ...matched, startAt: startAt > now ? startAt : undefined }
  const claims = task.claim && !isSuspect && task.startAt === undefined && !isPaused(paused, task.handler)
  if (!isFirst(task, claims)) return { ...task, start: 'blocked' }
  return { ...task, start: claims ? 'running' : 'due' }
}

/** The columns that show whether a delivery is a replay. */
export interface ReplayCandidate {
  id: number
  guid: string
  event: string
  sha256: Uint8Array
}

/** The ids of the deliveries that have the bytes of an older delivery in the list, but another GUID or event. */
export function findReplays(deliveries: readonly ReplayCandidate[]): number[] {
  const sameBytes = Map.groupBy(deliveries, ({ sha256 }) => sha256.join())
  return [...sameBytes.values()].flatMap((group) => {
    return group
      .filter((one) => group.some(({ id, guid, event }) => id < one.id && (guid !== one.guid || event !== one.event)))
      .map(({ id }) => id)
  })
}
