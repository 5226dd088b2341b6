/** The data of the model, which a store has in its tables, and the rules that several operations share. */
import type { HandlerPolicy, NewDelivery } from '../../../src/inbox/inbox.ts'
import type { AttemptDetail, DeliveryState, PayloadSummary, TaskState } from '../../../src/inbox/records.ts'
import { deliveryStateOf } from '../../../src/inbox/states.ts'
import type { WorkerHeartbeat } from '../../../src/inbox/worker-heartbeats.ts'
import type { DeliveryRecord, Snapshot } from '../store.ts'

/** A task. It is blocked if it is `pending` and has no `nextAt`. */
export interface ModelTask {
  readonly delivery: ModelDelivery
  readonly handler: string
  state: TaskState
  key: string | undefined
  fairKey: string | undefined
  /** Ready tasks are claimed in the order of their passes. */
  pass: number
  nextAt: number | undefined
  /** The task is not due earlier. */
  startAt: number | undefined
  /** Milliseconds from the end of the latest attempt to `nextAt`. */
  delay: number | undefined
  attempt: number
  attemptsUsed: number
  claimedAhead: boolean
  /** How many of `attemptsUsed` do not count against the limit. */
  uncounted: number
  /** The worker that holds the lease. */
  worker: number | undefined
  startedAt: number | undefined
  /** The delivery whose result claimed the running attempt. */
  claimedAfter: { id: number; attempt: number } | undefined
  /** The attempts that have ended. */
  readonly attempts: AttemptDetail[]
}

export interface ModelDelivery {
  readonly id: number
  readonly content: NewDelivery
  /** Hexadecimal. */
  readonly sha256: string
  readonly storedAt: number
  /** Above 0: a conflict. */
  readonly variant: number
  state: DeliveryState
  isMatched: boolean
  /** Whether it was matched before. */
  wasMatched: boolean
  rerun: boolean
  replayed: boolean
  duplicates: number
  reason: string | undefined
  summary: PayloadSummary
  matchAttempts: number
  readonly tasks: Map<string, ModelTask>
  /** The record in the latest snapshot; `undefined` after a change. */
  record: DeliveryRecord | undefined
}

export interface ModelWorker extends WorkerHeartbeat {
  handlers: readonly HandlerPolicy[]
}

export class ModelData {
  readonly deliveries: Map<number, ModelDelivery> = new Map()
  /** The tombstones: the deliveries that were pruned. */
  readonly pruned: Set<ModelDelivery> = new Set()
  readonly workers: Map<number, ModelWorker> = new Map()
  readonly pauses: Set<string> = new Set()
  /** When a worker last had a handler, or when a task without such a worker was first found. */
  readonly handlersSeen: Map<string, number> = new Map()
  #snapshot: Snapshot | undefined
  #lastId = 0

  nextId(): number {
    return ++this.#lastId
  }

  /** Call after each change of a delivery or of its tasks. */
  changed(delivery: ModelDelivery): void {
    delivery.record = undefined
    this.#snapshot = undefined
  }

  snapshot(): Snapshot {
    this.#snapshot ??= { deliveries: [...this.deliveries.values()].map((one) => (one.record ??= toRecord(one))) }
    return this.#snapshot
  }

  /** The tasks of the deliveries that have not ended. */
  *unfinishedTasks(): Generator<ModelTask> {
    for (const { state, tasks } of this.deliveries.values()) if (isUnfinished(state)) yield* tasks.values()
  }

  /** The unfinished tasks of a handler with an order key, in order of receipt. */
  *unfinished(handler: string, key: string): Generator<ModelTask> {
    for (const { tasks } of this.deliveries.values()) {
      const task = tasks.get(handler)
      if (task?.key === key && isUnfinished(task.state)) yield task
    }
  }

  /** Whether a task may run: no older task with its key is unfinished, and no other task with its key runs. */
  mayBegin(id: number, handler: string, key: string | undefined): boolean {
    if (key === undefined) return true
    for (const { delivery, state } of this.unfinished(handler, key)) {
      if (delivery.id < id || (delivery.id > id && state === 'running')) return false
    }
    return true
  }

  /** Blocks a task that may not run yet. @returns whether it is blocked. */
  blockUnlessFirst(task: ModelTask): boolean {
    if (this.mayBegin(task.delivery.id, task.handler, task.key)) return false
    Object.assign(task, { state: 'pending', nextAt: undefined, delay: undefined })
    this.changed(task.delivery)
    return true
  }

  /** Makes the first task with a key due, if it is blocked. It is not due before its `startAt`. */
  promoteNext(handler: string, key: string | undefined): void {
    if (key === undefined) return
    const first = this.unfinished(handler, key).next().value
    if (first?.state !== 'pending' || first.nextAt !== undefined) return
    this.#schedule(first, first.startAt ?? 0)
  }

  #schedule(task: ModelTask, at: number): void {
    task.pass = this.nextPass(task)
    task.nextAt = at
    this.changed(task.delivery)
  }

  /** Makes a due task ready. */
  makeReady(task: ModelTask): void {
    this.#schedule(task, 0)
  }

  /**
   * The pass of a task that becomes ready: after the current one, and after the last task of its fair key. Pass 0 is first,
   * and is never the current one.
   */
  nextPass({ handler, fairKey, state }: Pick<ModelTask, 'handler' | 'fairKey' | 'state'>): number {
    if (fairKey === undefined) return 0
    const ready = [...this.unfinishedTasks()].filter((one) => one.handler === handler && one.nextAt === 0)
    const own = ready.filter((one) => one.fairKey === fairKey && one.state === state)
    const passes = ready.map(({ pass }) => pass).filter((pass) => pass > 0)
    const current = passes.length > 0 ? Math.min(...passes) : 0
    return 1 + Math.max(current, ...own.map(({ pass }) => pass))
  }

  updateState(delivery: ModelDelivery): DeliveryState {
    delivery.state = deliveryStateOf([...delivery.tasks.values()].map(({ state }) => state))
    this.changed(delivery)
    return delivery.state
  }
}

export const isUnfinished = (state: TaskState | DeliveryState): boolean =>
  state === 'pending' || state === 'running' || state === 'retrying'

function toRecord({ id, content, state, isMatched, tasks }: ModelDelivery): DeliveryRecord {
  return {
    ...{ id, guid: content.guid, state, isMatched },
    tasks: [...tasks.values()].map((task) => {
      const { handler, state, key, nextAt, attemptsUsed, worker, claimedAhead, attempts } = task
      const isSuspect = state === 'running' && wasCutOffTwice(task)
      const cutOffs = attempts.filter(({ outcome }) => outcome === 'cut off').length
      return { handler, state, orderKey: key, nextAt, attemptsUsed, worker, isAhead: claimedAhead, isSuspect, cutOffs }
    }),
  }
}

/** Whether the two latest leases of a task that have ended have expired. */
export function wasCutOffTwice({ attempts }: ModelTask): boolean {
  const latest = attempts.filter(({ outcome }) => outcome !== 'released').slice(-2)
  return latest.length === 2 && latest.every(({ outcome }) => outcome === 'cut off')
}
