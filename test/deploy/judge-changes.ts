import type { DeliveryDetail, TaskDetail } from '../../src/inbox/records.ts'
import type { EventName } from '../campaign/handlers.ts'
import type { Line } from '../campaign/journal.ts'
import { findDisorder } from '../campaign/verdict.ts'
import {
  attemptsOf,
  changedNames,
  concurrencyOf,
  limited,
  narrow,
  reordered,
  type Version,
  versions,
} from './versions.ts'

/** The attempts of the changed handlers, in the inbox and in the journal. */
export interface ChangedRuns {
  /** The deliveries with the tasks of the changed handlers, in the order of their ids. */
  deliveries: readonly DeliveryDetail[]
  lines: readonly Line[]
  eventOf(guid: string): EventName
  versionOf(pid: number): Version
  /** Whether a delivery may begin after one with a higher id and the same order key. */
  mayReorder(guid: string, before: string): boolean
}

/** Finds handlers that differ between the versions and did not run as the documentation promises. */
export function* judgeChanges(runs: ChangedRuns): Generator<string> {
  const byTask = Map.groupBy(runs.lines, ({ guid, handler }) => `${guid} ${handler}`)
  for (const delivery of runs.deliveries) {
    yield* wrongHandlers(delivery, runs.eventOf(delivery.guid))
    for (const task of delivery.tasks) {
      const name = `${delivery.guid} ${task.handler}`
      if (task.state !== 'done') yield `The task ${name} is ${task.state}`
      const lines = byTask.get(name) ?? []
      for (const problem of wrongAttempts(task, lines, runs.versionOf)) yield `${name}: ${problem}`
    }
  }
  for (const handler of reordered) yield* disorder(handler, runs)
  yield* tooConcurrent(runs)
}

/** A delivery has the handlers of the version that matched it. An operator's retry may add those of the other version. */
function* wrongHandlers({ guid, tasks }: DeliveryDetail, event: EventName): Generator<string> {
  const [first, second] = versions.map((version) => changedNames(version, event)) as [string[], string[]]
  const wasRetried = tasks.some(({ attempts }) => attempts.some(({ outcome }) => outcome === 'dead'))
  const allowed = [first, second, ...(wasRetried ? [[...first, ...second]] : [])].map(textOf)
  const handlers = textOf(tasks.map(({ handler }) => handler))
  if (!allowed.includes(handlers)) yield `${guid} (${event}) has tasks of the handlers ${handlers}`
}

const textOf = (handlers: readonly string[]): string => [...new Set(handlers)].sort().join(', ')

/** Compares the recorded attempts of a task with its lines in the journal. */
function* wrongAttempts(
  { handler, attempts }: TaskDetail,
  lines: readonly Line[],
  versionOf: ChangedRuns['versionOf'],
): Generator<string> {
  const begun = lines.filter(({ mark }) => mark === '+').length
  const ended = attempts.filter(({ outcome }) => outcome === 'succeeded' || outcome === 'failed' || outcome === 'dead')
  const run = ended.filter((attempt) => !isExhausted(attempt))
  if (begun > attempts.length) yield `began ${begun} times, but ${attempts.length} attempts are recorded`
  if (begun < run.length) yield `began ${begun} times, but ${run.length} attempts have an outcome`
  const successes = attempts.filter(({ outcome }) => outcome === 'succeeded')
  if (successes.length !== 1 || attempts.at(-1)?.outcome !== 'succeeded')
    yield `the outcomes are ${attempts.map(({ outcome }) => outcome).join(', ')}`
  if (handler === limited) yield* wrongLimits(attempts, lines, versionOf)
}

/** The option `attempts` of the program that runs an attempt decides whether the task may be retried after it. */
function* wrongLimits(
  attempts: TaskDetail['attempts'],
  lines: readonly Line[],
  versionOf: ChangedRuns['versionOf'],
): Generator<string> {
  const limitOf = ({ pid }: Line) => attemptsOf[versionOf(pid)]
  for (const line of lines)
    if (line.mark === '+' && line.attempt > limitOf(line)) yield `attempt ${line.attempt} of ${limitOf(line)} ran`
  const failures = lines.filter(({ mark }) => mark === '-')
  const last = failures.filter((line) => line.attempt >= limitOf(line)).length
  const dead = attempts.filter((attempt) => attempt.outcome === 'dead' && !isExhausted(attempt)).length
  const failed = attempts.filter(({ outcome }) => outcome === 'failed').length
  if (dead > last) yield `ended dead ${dead} times, after ${last} failures of a last attempt`
  if (failed > failures.length - last) yield `was retried ${failed} times, after ${failures.length - last} failures`
}

/** Whether the handler was not called, because the task had no attempts left. */
const isExhausted = ({ outcome, error }: TaskDetail['attempts'][number]): boolean =>
  outcome === 'dead' && error?.includes('attempts are used up') === true

/** Tasks with the same stored key, whichever version stored the key, run in order of receipt. */
function disorder(handler: string, { lines, deliveries, mayReorder }: ChangedRuns): Generator<string> {
  const keys = new Map(deliveries.map(({ guid, tasks }) => [guid, tasks.find((one) => one.handler === handler)?.key]))
  const own = lines.filter((line) => line.handler === handler)
  return findDisorder({ lines: own, deliveries, keyOf: (guid) => keys.get(guid), mayReorder })
}

/** A process runs as many attempts at a time as the option `concurrency` of its version allows. */
function* tooConcurrent({ lines, versionOf }: ChangedRuns): Generator<string> {
  const running = new Map<number, number>()
  for (const { handler, mark, pid } of lines) {
    if (handler !== narrow) continue
    const count = (running.get(pid) ?? 0) + (mark === '+' ? 1 : -1)
    running.set(pid, count)
    const limit = concurrencyOf[versionOf(pid)]
    if (count > limit) yield `Process ${pid} ran ${count} attempts of ${narrow}, and may run ${limit}`
  }
}
