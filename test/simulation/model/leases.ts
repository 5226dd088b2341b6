/** The model of workers: their registration, their heartbeats, and the expiry of their leases. */
import { clockTolerance } from '../../../src/inbox/processes.ts'
import { expiredLeaseDelay } from '../../../src/inbox/retry.ts'
import { type HandlerPolicy, includesAttempt, type LeasedAttempt } from '../../../src/inbox/task-queue.ts'
import type { HeartbeatMonitor } from '../../../src/inbox/worker-heartbeats.ts'
import type { ModelData, ModelTask } from './data.ts'
import { finish } from './tasks.ts'

export interface LeaseSettings {
  /** Milliseconds between two heartbeats. */
  heartbeat: number
  /** Milliseconds after which a due task ends as `gone` if no worker has registered its handler. */
  vanishAfter: number
}

export function registerWorker(data: ModelData, handlers: readonly HandlerPolicy[], interval: number): number {
  const id = data.nextId()
  data.workers.set(id, { id, handlers, heartbeats: 0, interval })
  return id
}

/** @throws {Error} if the leases of the worker have expired: it must not get new ones. */
export function checkRegistered({ workers }: ModelData, worker: number): void {
  if (!workers.has(worker)) throw new Error(`The leases of worker ${worker} have expired`)
}

/** Releases the leases of a worker, without counting an attempt, except those of the given attempts. */
export function releaseLeases(data: ModelData, worker: number, except: readonly LeasedAttempt[], now: number): void {
  for (const task of leasesOf(data, worker)) {
    const { handler, attempt, startedAt = now, delivery } = task
    if (includesAttempt(except, { id: delivery.id, handler, attempt })) continue
    const duration = now - startedAt
    finish(data, worker, { id: delivery.id, handler, attempt, outcome: 'released', startedAt, duration })
    data.updateState(delivery)
  }
}

/** Releases all leases of a worker, without counting an attempt, and removes the worker. */
export function releaseWorker(data: ModelData, worker: number, now: number): void {
  releaseLeases(data, worker, [], now)
  data.workers.delete(worker)
}

/**
 * Sends the heartbeats of a process, expires the leases of dead workers, and corrects tasks, as each store does.
 * @param alive The workers of the process.
 * @param number The number of the heartbeat in the process.
 */
export function renewLeases(
  data: ModelData,
  alive: ReadonlyMap<number, readonly HandlerPolicy[]>,
  monitor: HeartbeatMonitor,
  { heartbeat, vanishAfter }: LeaseSettings,
  number: number,
  now: number,
): void {
  for (const [id, handlers] of alive) {
    data.workers.set(id, { id, handlers, heartbeats: number, interval: heartbeat })
  }
  const others = [...data.workers.values()].filter(({ id }) => !alive.has(id))
  for (const { id, handlers } of monitor.check(others, heartbeat)) {
    for (const task of leasesOf(data, id)) expireLease(data, task, handlers, now)
    data.workers.delete(id)
  }
  endUnhandledTasks(data, vanishAfter, now)
  correctClockSkew(data, now)
}

function leasesOf(data: ModelData, worker: number): ModelTask[] {
  return [...data.unfinishedTasks()].filter((task) => task.worker === worker)
}

function expireLease(data: ModelData, task: ModelTask, handlers: readonly HandlerPolicy[], now: number): void {
  const { handler, key, attempt, attemptsUsed, uncounted, claimedAhead, startedAt = 0, delivery } = task
  const policy = handlers.find(({ name }) => name === handler)
  const delay = expiredLeaseDelay(attemptsUsed - uncounted - Number(claimedAhead), policy)
  Object.assign(task, { state: 'retrying', nextAt: now + delay, delay, worker: undefined, startedAt: undefined })
  task.uncounted += Number(task.claimedAhead)
  task.claimedAhead = false
  task.attempts.push({
    ...{ number: attempt, startedAt, duration: undefined, outcome: 'cut off' },
    ...{ error: undefined, result: undefined, log: undefined },
  })
  data.promoteNext(handler, key)
  data.updateState(delivery)
}

/** Ends due tasks as `gone` if no worker has registered their handler for `vanishAfter` milliseconds. */
function endUnhandledTasks(data: ModelData, vanishAfter: number, now: number): void {
  if (data.workers.size === 0) return
  const alive = new Set([...data.workers.values()].flatMap(({ handlers }) => handlers.map(({ name }) => name)))
  for (const handler of alive) data.handlersSeen.set(handler, now)
  for (const task of data.unfinishedTasks()) {
    const { handler, key, nextAt } = task
    if (nextAt === undefined || alive.has(handler)) continue
    const seenAt = data.handlersSeen.get(handler)
    if (seenAt === undefined) data.handlersSeen.set(handler, now)
    if (seenAt === undefined || seenAt > now - vanishAfter || nextAt > now) continue
    Object.assign(task, { state: 'gone', nextAt: undefined, delay: undefined })
    data.promoteNext(handler, key)
    data.updateState(task.delivery)
  }
}

/** Makes tasks due that would wait for longer than their delay, because the clock was set back. */
function correctClockSkew(data: ModelData, now: number): void {
  const latest = now + clockTolerance
  for (const task of data.unfinishedTasks()) {
    const { nextAt, delay } = task
    if (nextAt === undefined || delay === undefined || nextAt <= latest || nextAt - delay <= latest) continue
    Object.assign(task, { nextAt: now, delay: undefined })
    data.updateState(task.delivery)
  }
}
