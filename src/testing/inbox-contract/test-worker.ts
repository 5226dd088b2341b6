import assert from 'node:assert/strict'
import type {
  AttemptResult,
  ClaimedTask,
  DeliveryStatus,
  DeliveryStore,
  HandlerPolicy,
  MatchedTask,
  TaskQueue,
} from '../../inbox/inbox.ts'
import { minute, newDelivery, start, storeNew } from './deliveries.ts'
import { recordMatches } from './matching.ts'
import { only } from './seen.ts'

/** A byte limit above the size of all bodies. */
const plenty = 1e9

/**
 * The backoff of the handlers, in milliseconds. When the lease of a task has expired, the store retries the task after
 * the backoff. This backoff is longer than any case runs, so such a task does not become due before its case ends.
 */
export const backoff: number = 60 * minute

/** A worker that a case controls step by step. Its current time is `start`, unless the case gives another time. */
export class TestWorker {
  readonly inbox: TaskQueue
  readonly id: number

  private constructor(inbox: TaskQueue, id: number) {
    this.inbox = inbox
    this.id = id
  }

  static async register(inbox: TaskQueue, ...handlers: string[]): Promise<TestWorker> {
    return new TestWorker(inbox, await inbox.registerWorker(policies(...handlers)))
  }

  /** Matches a delivery with handlers. The match also claims the tasks of the handlers that are given by name. */
  match(id: number, ...handlers: (string | MatchedTask)[]): Promise<ClaimedTask[]> {
    const tasks = handlers.map((one) => (typeof one === 'string' ? { handler: one, claim: true } : one))
    return recordMatches(this.inbox, this.id, [{ id, summary: {}, tasks }], start)
  }

  /** Matches a delivery with one handler and claims its task. */
  async begin(id: number, handler: string): Promise<ClaimedTask> {
    return only(await this.match(id, handler))
  }

  /** Claims due tasks of one handler. */
  claim(handler: string, limit = 1, now: number = start): Promise<ClaimedTask[]> {
    return this.inbox.claim(this.id, { wanted: { [handler]: limit }, bytes: plenty, now })
  }

  finish(
    { id, handler, attempt }: ClaimedTask,
    outcome: AttemptResult['outcome'],
    more: Partial<AttemptResult> = {},
  ): Promise<DeliveryStatus[]> {
    const nextAt = outcome === 'failed' ? start + minute : undefined
    const ended = { id, handler, attempt, outcome, startedAt: start, duration: 5, nextAt, ...more }
    return this.inbox.finish(this.id, [ended])
  }

  /** Matches a delivery with these handlers, and ends the first attempt of each with its outcome. */
  async handle(id: number, outcomes: Readonly<Record<string, AttemptResult['outcome']>>): Promise<void> {
    const claimed = await this.match(id, ...Object.keys(outcomes))
    assert.equal(claimed.length, Object.keys(outcomes).length, 'the match claims all tasks')
    for (const task of claimed) await this.finish(task, outcomes[task.handler] as AttemptResult['outcome'])
  }
}

/** Stores a delivery, and ends its tasks: that of `a` has succeeded, and that of `b` is gone. @returns its id. */
export async function storeWithGoneTask(inbox: DeliveryStore, worker: TestWorker): Promise<number> {
  const delivery = newDelivery()
  const id = await storeNew(inbox, delivery)
  await worker.handle(id, { a: 'succeeded', b: 'dead' })
  await inbox.store(delivery)
  await worker.match(id, 'a')
  return id
}

export function policies(...handlers: string[]): HandlerPolicy[] {
  return handlers.map((name) => ({ name, backoff }))
}

/** A task that the match does not claim. */
export const due = (handler: string): MatchedTask => ({ handler, claim: false })

/** A task with an order key. @param begin Whether the match claims the task if it is the first of its key. */
export const ordered = (handler: string, key: string, begin = false): MatchedTask => ({ handler, key, claim: begin })
