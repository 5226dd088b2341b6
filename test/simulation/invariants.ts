/**
 * The invariants of every schedule. Each is a function of the contents of the store and of the events before. It returns
 * a text if the schedule violates it.
 */

import { isPaused } from '../../src/inbox/pauses.ts'
import { hasEnded } from '../../src/inbox/states.ts'
import { type Begin, type Change, find, History, type SimulationEvent } from './history.ts'
import { Progress, type TimePasses } from './progress.ts'
import {
  type Action,
  attempts,
  type Behavior,
  maxConcurrency,
  planOf,
  type Scenario,
  type Sending,
} from './scenario.ts'
import type { DeliveryRecord, Snapshot, TaskRecord } from './store.ts'
import type { VirtualProcess } from './virtual-time.ts'

type Violation = string | undefined

/** How many later deliveries may be matched before an unmatched one. Each worker may have read a batch ahead. */
const maxOvertaking = 3

/** Checked when the code of a handler begins, before the history contains it. */
const whenHandlerBegins: Record<string, (begin: Begin, history: History, snapshot: Snapshot) => Violation> = {
  concurrency({ process, handler }, history) {
    const count = (history.running(process).get(handler) ?? 0) + 1
    const max = maxConcurrency(history.scenario, handler)
    return count > max ? `${process.name} runs ${count} of ${handler}` : undefined
  },

  closed({ process, handler, guid }, { stops, stopped }) {
    if (!stops.has(process)) return undefined
    return `${process.name} begins ${handler} of delivery ${guid} ${stopped.has(process) ? 'after it has closed' : 'while it closes'}`
  },

  leases({ process, handler, guid, attempt }, { operated, lostTouch }, snapshot) {
    // An operator may discard a delivery between the claim of a task and its begin.
    if (operated.has(guid) || lostTouch.has(process)) return undefined
    const { task } = find(snapshot, guid, handler)
    if (task?.state === 'running' && task.attemptsUsed === attempt) return undefined
    return `${process.name} begins ${handler} of delivery ${guid} without the lease`
  },

  /** A lease counts only if the handler was called or the lease has expired. */
  attempts({ handler, guid, attempt }, { calls }, snapshot) {
    const ended = calls.of(`${guid} ${handler}`) + (find(snapshot, guid, handler).task?.cutOffs ?? 0)
    return attempt - 1 <= ended ? undefined : `attempt ${attempt} of ${handler} for delivery ${guid} follows ${ended}`
  },

  order({ process, handler, guid, attempt }, { operated, resent, latest, lostTouch, scenario }, snapshot) {
    if (lostTouch.has(process)) return undefined
    if (!planOf(scenario, handler)?.isOrdered || attempt > 1 || operated.has(guid) || resent.has(guid)) return undefined
    const { delivery, task } = find(snapshot, guid, handler)
    if (!delivery || delivery.id >= (latest.get(`${handler} ${task?.orderKey}`) ?? 0)) return undefined
    return `${handler} begins delivery ${guid} after a later one`
  },
}

/** Checked when a process has stopped. */
const whenProcessStops: Record<string, (process: VirtualProcess, history: History) => Violation> = {
  closed(process, history) {
    if (hasBehavior(history.scenario, 'ignores its signal')) return undefined // its code may run on
    const [handler] = [...history.running(process)].find(([, count]) => count > 0) ?? []
    return handler && `${process.name} has closed, but ${handler} still runs`
  },
}

/** Checked for each delivery that has changed in the store. */
const whenDeliveryChanges: Record<string, (change: Change, history: History, snapshot: Snapshot) => Violation> = {
  /** A task is leased only if no earlier one with its order key is unfinished, and no other one is leased. */
  order({ delivery, earlier }, _history, { deliveries }) {
    for (const { handler, state, orderKey } of delivery.tasks) {
      if (state !== 'running' || orderKey === undefined || taskOf(earlier, handler)?.state === 'running') continue
      const isBefore = ({ state }: TaskRecord, id: number) =>
        state === 'running' || (id < delivery.id && unfinishedStates.includes(state))
      const other = deliveries.find(({ id, tasks }) => {
        if (id === delivery.id) return false
        return tasks.some((task) => task.handler === handler && task.orderKey === orderKey && isBefore(task, id))
      })
      if (other) return `${handler} of delivery ${delivery.guid} is leased before delivery ${other.guid} has ended`
    }
    return undefined
  },

  /**
   * A delivery that starts tasks with order keys is matched after all earlier ones, because they may have the same keys.
   * In PostgreSQL, an earlier one may become unmatched again while a transaction matches the later one.
   */
  'order of matches'({ delivery, earlier }, { isReliable, operated, resent }, { deliveries }) {
    const { id, guid, isMatched, state, tasks } = delivery
    if (!isMatched || earlier?.isMatched || state === 'discarded') return undefined
    if (!tasks.some(({ orderKey, state }) => orderKey !== undefined && unfinishedStates.includes(state)))
      return undefined
    const mayReturn = (one: DeliveryRecord) => !isReliable && (operated.has(one.guid) || resent.has(one.guid))
    const other = deliveries.find((one) => one.id < id && !one.isMatched && !mayReturn(one))
    return other && `delivery ${guid} is matched before delivery ${other.guid}`
  },

  /** A paused handler gets no lease. */
  paused({ delivery, earlier }, { paused, isReliable }) {
    if (!isReliable) return undefined // the pause may take effect later
    for (const { handler, state, attemptsUsed } of delivery.tasks) {
      const before = taskOf(earlier, handler)
      const isLeased = state === 'running' && !(before?.state === 'running' && before.attemptsUsed === attemptsUsed)
      if (isLeased && isPaused(paused, handler)) return `${handler} of delivery ${delivery.guid} is leased`
    }
    return undefined
  },

  /** The result of an attempt comes from the worker that runs it. */
  results({ delivery, earlier }, { ended, operated }) {
    const { guid, tasks } = delivery
    if (operated.has(guid)) return undefined // the numbers of its attempts may begin again
    for (const { handler, state, attemptsUsed } of tasks) {
      if (state !== 'done' || taskOf(earlier, handler)?.state === 'done') continue
      if (ended.has(`${guid} ${handler} ${attemptsUsed}`)) continue
      return `${handler} of delivery ${guid} is done before attempt ${attemptsUsed} has ended`
    }
    return undefined
  },

  /** A task has used its attempts before it is dead. Those that were claimed ahead and cut off do not count. */
  attempts({ delivery, earlier }, { calls, countedCutOffs }) {
    for (const { handler, state } of delivery.tasks) {
      const task = `${delivery.guid} ${handler}`
      const used = calls.of(task) + countedCutOffs.of(task)
      if (state !== 'dead' || taskOf(earlier, handler)?.state === 'dead' || used >= attempts) continue
      return `${handler} of delivery ${delivery.guid} is dead after ${used} attempts`
    }
    return undefined
  },

  /**
   * A handler that succeeds loses two attempts at most to a handler that ends the process: then both tasks are suspects.
   * A worker may not know a suspect if the answer to its claim is lost.
   */
  'lost attempts'({ delivery }, { lostToHandlers, scenario, isReliable, operated, resent }) {
    if (!isReliable || scenario.faults > 0) return undefined
    if (scenario.handlers[0]?.timeout !== undefined) return undefined // an attempt that times out ends the suspicion
    const killer = scenario.actions.find(
      (action) => action.kind === 'deliver' && action.behaviors.includes('ends the process'),
    )
    const restarted = [delivery.guid, String((killer as Sending | undefined)?.delivery)]
    if (restarted.some((guid) => operated.has(guid) || resent.has(guid))) return undefined
    for (const { handler } of delivery.tasks) {
      const lost = lostToHandlers.of(`${delivery.guid} ${handler}`)
      if (lost < attempts || !succeeds(scenario, delivery.guid, handler)) continue
      return `${handler} of delivery ${delivery.guid} has lost ${lost} attempts`
    }
    return undefined
  },

  /** A worker tries one suspect at a time. */
  suspects({ delivery, earlier }, _history, { deliveries }) {
    for (const task of delivery.tasks) {
      const { handler, worker, isSuspect } = task
      if (!isSuspect || taskOf(earlier, handler)?.state === 'running') continue
      const isRival = (one: TaskRecord) => one !== task && one.isSuspect && one.worker === worker
      const other = deliveries.find(({ tasks }) => tasks.some(isRival))
      if (other) return `${handler} of delivery ${delivery.guid} is tried at the same time as delivery ${other.guid}`
    }
    return undefined
  },
}

/** Checked for each delivery that is no longer in the store. */
const whenDeliveryDisappears: Record<string, (delivery: DeliveryRecord, history: History) => Violation> = {
  pruned({ guid, state, isMatched, tasks }) {
    if (isMatched && hasEnded(state) && !tasks.some(({ worker }) => worker !== undefined)) return undefined
    return `delivery ${guid} was deleted before it ended`
  },
}

/** Checked whenever the contents of the store have changed. */
const whenStoreChanges: Record<string, (snapshot: Snapshot, history: History) => Violation> = {
  /** Whatever is unmatched is matched before long, although later deliveries arrive. */
  'oldest first'({ deliveries }, { overtaken, scenario }) {
    if (overtaken.counts.size === 0) return undefined
    const late = deliveries.find(({ id }) => overtaken.of(id) > maxOvertaking * scenario.processes)
    return late && `delivery ${late.guid} is unmatched, and later ones were matched ${overtaken.of(late.id)} times`
  },
}

/** Checked when `onDead` was called. */
const whenDeathIsReported: Record<string, (guid: string, history: History) => Violation> = {
  onDead(guid, { deathsReported, deathsSeen }) {
    if (deathsReported.of(guid) <= deathsSeen.of(guid)) return undefined
    return `delivery ${guid} died ${deathsSeen.of(guid)} times, and was reported ${deathsReported.of(guid)} times`
  },
}

/** Checked when a worker has nothing to do, and none of its calls is unanswered. */
const whenWorkerIsIdle: Record<string, (event: Extract<SimulationEvent, { kind: 'idle' }>) => Violation> = {
  slots: ({ process, slots }) => (slots === 0 ? undefined : `${process.name} is idle and holds ${slots} slots`),
  memory: ({ process, bytes }) => (bytes === 0 ? undefined : `${process.name} is idle and holds ${bytes} bytes`),
  bodies: ({ process, bodies }) =>
    bodies === 0 ? undefined : `${process.name} is idle and keeps ${bodies} bytes of bodies`,
}

/** Checked when all workers have stopped. */
const atTheEnd: Record<string, (snapshot: Snapshot, history: History) => Violation> = {
  stored({ deliveries }, { acknowledged, pruned }) {
    const stored = new Set([...pruned, ...deliveries.map(({ guid }) => guid)])
    const lost = [...acknowledged].find((guid) => !stored.has(guid))
    return lost && `${lost} is lost`
  },

  onDead(_snapshot, { deathsReported, deathsSeen, scenario, isReliable }) {
    if (!isReliable || scenario.faults > 0 || !scenario.actions.every(keepsReports)) return undefined
    const [guid] = [...deathsSeen.counts].find(([guid, seen]) => seen > deathsReported.of(guid)) ?? []
    if (guid === undefined) return undefined
    return `delivery ${guid} died ${deathsSeen.of(guid)} times, and was reported ${deathsReported.of(guid)} times`
  },
}

/** Whether the worker that records the last result of a delivery surely learns its state. */
const keepsReports = (action: Action): boolean =>
  action.kind === 'deliver'
    ? !action.behaviors.includes('ends the process')
    : ['deliver again', 'retry', 'pause', 'prune', 'set concurrency'].includes(action.kind)

const hasBehavior = ({ actions }: Scenario, behavior: Behavior): boolean =>
  actions.some((action) => action.kind === 'deliver' && action.behaviors.includes(behavior))

/** Whether a handler has no timeout and succeeds for a delivery. */
function succeeds(scenario: Scenario, guid: string, handler: string): boolean {
  const plan = planOf(scenario, handler)
  if (!plan || plan.timeout !== undefined) return false
  const index = scenario.handlers.indexOf(plan)
  return scenario.actions.some((action) => {
    return action.kind === 'deliver' && String(action.delivery) === guid && action.behaviors[index] === 'succeeds'
  })
}

/** Checks the invariants of one schedule. */
export class Invariants {
  readonly #history: History
  readonly #progress: Progress
  #snapshot: Snapshot = { deliveries: [] }
  #violation: string | undefined

  /** @param isReliable Whether only the scenario interrupts calls. */
  constructor(scenario: Scenario, isReliable: boolean) {
    this.#history = new History(scenario, isReliable)
    this.#progress = new Progress(this.#history)
  }

  /** Checks the events of a step. @param snapshot The contents of the store after the step. */
  check(events: readonly SimulationEvent[], snapshot: Snapshot): string | undefined {
    if (snapshot !== this.#snapshot) {
      const { changes, gone } = this.#history.addChange(this.#snapshot, snapshot)
      this.#snapshot = snapshot
      for (const one of gone) this.#find(whenDeliveryDisappears, (rule) => rule(one, this.#history))
      for (const change of changes) this.#find(whenDeliveryChanges, (rule) => rule(change, this.#history, snapshot))
      this.#find(whenStoreChanges, (rule) => rule(snapshot, this.#history))
    }
    for (const event of events) {
      if (event.kind === 'begins') this.#find(whenHandlerBegins, (rule) => rule(event, this.#history, snapshot))
      this.#history.add(event, snapshot)
      if (event.kind === 'begins') this.#progress.begins(event.handler)
      if (event.kind === 'died') this.#find(whenDeathIsReported, (rule) => rule(event.guid, this.#history))
      if (event.kind === 'idle') this.#find(whenWorkerIsIdle, (rule) => rule(event))
      if (event.kind === 'stopped') this.#find(whenProcessStops, (rule) => rule(event.process, this.#history))
    }
    return this.#violation
  }

  /** Checks whether work has been waiting for too long. Called when time passes without faults. */
  checkProgress(passing: TimePasses): string | undefined {
    const text = this.#progress.check(passing, this.#snapshot)
    if (text !== undefined) this.#violation ??= `due: ${text}`
    return this.#violation
  }

  /** Checks a schedule whose workers have all stopped. */
  checkEnd(): string | undefined {
    this.#find(atTheEnd, (rule) => rule(this.#snapshot, this.#history))
    return this.#violation
  }

  #find<Rule>(rules: Record<string, Rule>, check: (rule: Rule) => Violation): void {
    for (const [name, rule] of Object.entries(rules)) {
      if (this.#violation !== undefined) return
      const text = check(rule)
      if (text !== undefined) this.#violation = `${name}: ${text}`
    }
  }
}

const taskOf = (delivery: DeliveryRecord | undefined, handler: string): TaskRecord | undefined =>
  delivery?.tasks.find((task) => task.handler === handler)

/** The deliveries that have not ended. */
export const unfinished = ({ deliveries }: Snapshot): string[] =>
  deliveries.filter(({ state, isMatched }) => !isMatched || unfinishedStates.includes(state)).map(({ guid }) => guid)

const unfinishedStates: readonly string[] = ['pending', 'running', 'retrying']
