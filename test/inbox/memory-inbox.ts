import type { BasicStore } from '../../src/inbox/inbox.ts'
import type { DeliveryState, TaskState } from '../../src/inbox/records.ts'
import { deliveryStateOf } from '../../src/inbox/states.ts'
import type {
  AttemptResult,
  ClaimedTask,
  ClaimRequest,
  DecideMatches,
  DeliveryStatus,
  Match,
  MatchOffer,
  MatchResult,
  NewDelivery,
  StoredDelivery,
  StoreResult,
} from '../../src/store.ts'

interface Task {
  handler: string
  state: TaskState
  attempt: number
  /** When the task is due, if it waits for an attempt. */
  nextAt: number
}

interface Entry {
  stored: StoredDelivery
  state: DeliveryState
  /** `undefined` until a worker has matched the delivery. */
  tasks: Task[] | undefined
}

/**
 * A small store with only the two capabilities that `Hooks` needs. It is for one process, which loses the deliveries
 * when it ends. So no lease expires. Order keys are ignored.
 */
export class MemoryInbox implements BasicStore {
  readonly pollInterval = 20
  readonly leaseDuration: number = Number.POSITIVE_INFINITY
  readonly #entries: Entry[] = []
  #workers = 0

  async store({ algorithm: _, address: __, editedFrom: ___, ...delivery }: NewDelivery): Promise<StoreResult> {
    const known = this.#entries.find(({ stored }) => stored.guid === delivery.guid && stored.hookId === delivery.hookId)
    if (known) {
      known.stored.redelivered = true
      return { id: known.stored.id, outcome: 'duplicate', conflict: false }
    }
    const id = this.#entries.length + 1
    const flags = { pulled: delivery.pulled === true, redelivered: false, conflict: false, replayed: false }
    this.#entries.push({ stored: { ...delivery, ...flags, id }, state: 'pending', tasks: undefined })
    return { id, outcome: 'stored', conflict: false }
  }

  async checkWritable(): Promise<void> {}

  async registerWorker(): Promise<number> {
    this.#workers++
    return this.#workers
  }

  async updateWorker(): Promise<void> {}

  async releaseWorker(): Promise<void> {}

  async releaseLeases(): Promise<void> {}

  async match(_worker: number, { limit }: MatchOffer, decide: DecideMatches): Promise<MatchResult> {
    const unmatched = this.#entries.filter(({ tasks }) => tasks === undefined).slice(0, limit)
    const matches = unmatched.length > 0 ? await decide(unmatched.map(({ stored }) => stored)) : []
    return { matched: matches.length, claimed: matches.flatMap((match) => this.#record(match)) }
  }

  async countMatchAttempt(): Promise<number> {
    return 1
  }

  async forgetMatchAttempts(): Promise<void> {}

  async claim(_worker: number, { wanted, now }: ClaimRequest): Promise<ClaimedTask[]> {
    const left = { ...wanted }
    return this.#entries.flatMap(({ stored: { id }, tasks = [] }) => {
      const due = tasks.filter((task) => isWaiting(task) && task.nextAt <= now)
      return due.flatMap((task) => {
        const free = left[task.handler] ?? 0
        if (free === 0) return []
        left[task.handler] = free - 1
        return [start(id, task)]
      })
    })
  }

  async nextDueAt(handlers: readonly string[]): Promise<number | undefined> {
    if (this.#entries.some(({ tasks }) => tasks === undefined)) return 0
    const waiting = this.#entries.flatMap(({ tasks = [] }) => tasks.filter(isWaiting))
    const times = waiting.filter(({ handler }) => handlers.includes(handler)).map(({ nextAt }) => nextAt)
    return times.length > 0 ? Math.min(...times) : undefined
  }

  async load(ids: readonly number[]): Promise<StoredDelivery[]> {
    return ids.map((id) => this.#entry(id).stored)
  }

  async finish(_worker: number, results: readonly AttemptResult[]): Promise<DeliveryStatus[]> {
    return results.map(({ id, handler, outcome, nextAt = 0 }) => {
      const entry = this.#entry(id)
      const task = entry.tasks?.find((one) => one.handler === handler)
      Object.assign(task as Task, { state: stateAfter[outcome], nextAt })
      entry.state = deliveryStateOf((entry.tasks ?? []).map(({ state }) => state))
      return { id, state: entry.state }
    })
  }

  async close(): Promise<void> {}

  stateOf(id: number): DeliveryState {
    return this.#entry(id).state
  }

  #record({ id, tasks, invalid }: Match): ClaimedTask[] {
    const entry = this.#entry(id)
    entry.tasks = tasks.map(({ handler, startAt = 0 }): Task => {
      return { handler, state: 'pending', attempt: 0, nextAt: startAt }
    })
    const claimed = entry.tasks.filter((_, index) => tasks[index]?.claim).map((task) => start(id, task))
    entry.state = invalid === undefined ? deliveryStateOf(entry.tasks.map(({ state }) => state)) : 'dead'
    return claimed
  }

  #entry(id: number): Entry {
    return this.#entries[id - 1] as Entry
  }
}

const isWaiting = ({ state }: Task): boolean => state === 'pending' || state === 'retrying'

function start(id: number, task: Task): ClaimedTask {
  task.state = 'running'
  task.attempt++
  return { id, handler: task.handler, attempt: task.attempt, attemptsUsed: task.attempt, replayed: false }
}

const stateAfter: Readonly<Record<AttemptResult['outcome'], TaskState>> = {
  succeeded: 'done',
  failed: 'retrying',
  dead: 'dead',
  discarded: 'discarded',
  released: 'pending',
}
