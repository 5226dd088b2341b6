/**
 * The invariants of every schedule. Each is a function of the contents of the store and of the events before. It returns
 * a text if the schedule violates it.
 */
import { type Begin, find, History, type SimulationEvent } from './history.ts'
import { Progress, type TimePasses } from './progress.ts'
import { attempts, type Behavior, planOf, type Scenario } from './scenario.ts'
import type { Snapshot } from './store.ts'
import type { VirtualProcess } from './virtual-time.ts'

type Violation = string | undefined

/** How many later deliveries may be matched before an unmatched one. Each worker may have read a batch ahead. */
const maxOvertaking = 3

/** Checked when the code of a handler begins, before the history contains it. */
const whenHandlerBegins: Record<string, (begin: Begin, history: History, snapshot: Snapshot) => Violation> = {
  concurrency({ process, handler }, history) {
    const count = (history.running(process).get(handler) ?? 0) + 1
    const max = planOf(history.scenario, handler)?.concurrency ?? 0
    return count > max ? `${process.name} runs ${count} of ${handler}` : undefined
  },

  closed({ process, handler }, { stopped }) {
    return stopped.has(process) ? `${process.name} begins ${handler} after it has closed` : undefined
  },

  leases({ process, handler, guid, attempt }, { operated }, snapshot) {
    // An operator may discard a delivery between the claim of a task and its begin.
    if (operated.has(guid)) return undefined
    const { task } = find(snapshot, guid, handler)
    if (task?.state === 'running' && task.attemptsUsed === attempt) return undefined
    return `${process.name} begins ${handler} of delivery ${guid} without the lease`
  },

  order({ handler, guid, attempt }, { operated, resent, latest, scenario }, snapshot) {
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

/** Checked whenever the contents of the store have changed. */
const whenStoreChanges: Record<string, (snapshot: Snapshot, history: History) => Violation> = {
  order({ deliveries }) {
    const leased = new Set<string>()
    for (const { tasks } of deliveries) {
      for (const { handler, state, orderKey } of tasks) {
        if (state !== 'running' || orderKey === undefined) continue
        const queue = `${handler} ${orderKey}`
        if (leased.has(queue)) return `two tasks of ${handler} with the key ${orderKey} are leased`
        leased.add(queue)
      }
    }
    return undefined
  },

  /** Whatever is unmatched is matched before long, although later deliveries arrive. */
  'oldest first'({ deliveries }, { overtaken, scenario }) {
    const late = deliveries.find(({ id }) => overtaken.of(id) > maxOvertaking * scenario.processes)
    return late && `delivery ${late.guid} is unmatched, and later ones were matched ${overtaken.of(late.id)} times`
  },
}

/** Checked when a worker has nothing to do, and none of its calls is unanswered. */
const whenWorkerIsIdle: Record<string, (event: Extract<SimulationEvent, { kind: 'idle' }>) => Violation> = {
  slots: ({ process, slots }) => (slots === 0 ? undefined : `${process.name} is idle and holds ${slots} slots`),
  memory: ({ process, bytes }) => (bytes === 0 ? undefined : `${process.name} is idle and holds ${bytes} bytes`),
}

/** Checked when all workers have stopped. */
const atTheEnd: Record<string, (snapshot: Snapshot, history: History) => Violation> = {
  stored({ deliveries }, { acknowledged }) {
    const stored = new Set(deliveries.map(({ guid }) => guid))
    const lost = [...acknowledged].find((guid) => !stored.has(guid))
    return lost && `${lost} is lost`
  },

  onDead(_snapshot, { deathsReported, deathsSeen }) {
    const [guid] = [...deathsReported.counts].find(([guid, reported]) => reported > deathsSeen.of(guid)) ?? []
    if (guid === undefined) return undefined
    return `delivery ${guid} died ${deathsSeen.of(guid)} times, and was reported ${deathsReported.of(guid)} times`
  },

  /**
   * A handler that succeeds is dead only if it was interrupted in each of its attempts. A handler that ends the process
   * may cost others an attempt if they ran for longer than a suspect delays the next one.
   */
  attempts({ deliveries }, { calls, scenario, endangered }) {
    for (const { guid, tasks } of deliveries) {
      for (const { handler, state, attemptsUsed, expiredLeases = 0 } of tasks) {
        const called = calls.of(`${guid} ${handler}`)
        if (state !== 'dead' || !succeeds(scenario, guid, handler) || endangered.has(`${guid} ${handler}`)) continue
        // The answer to a claim may be lost, and the process may end before it releases that claim.
        if (interruptions(scenario) > 0 || scenario.faults > 0) continue
        if (called + expiredLeases >= attempts && expiredLeases > 0) continue
        return `${handler} of delivery ${guid} is dead after ${attemptsUsed} attempts, and was called ${called} times`
      }
    }
    return undefined
  },
}

/** How often the scenario ends a process, apart from handlers that do. */
const interruptions = ({ actions }: Scenario): number => actions.filter(({ kind }) => kind !== 'deliver').length

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

  constructor(scenario: Scenario) {
    this.#history = new History(scenario)
    this.#progress = new Progress(this.#history)
  }

  /** Checks the events of a step. @param snapshot The contents of the store after the step. */
  check(events: readonly SimulationEvent[], snapshot: Snapshot): string | undefined {
    if (snapshot !== this.#snapshot) {
      this.#history.addChange(this.#snapshot, snapshot)
      this.#snapshot = snapshot
      this.#find(whenStoreChanges, (rule) => rule(snapshot, this.#history))
    }
    for (const event of events) {
      if (event.kind === 'begins') this.#find(whenHandlerBegins, (rule) => rule(event, this.#history, snapshot))
      this.#history.add(event, snapshot)
      if (event.kind === 'begins') this.#progress.begins(event.handler)
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

/** The deliveries that have not ended. */
export const unfinished = ({ deliveries }: Snapshot): string[] =>
  deliveries.filter(({ state, isMatched }) => !isMatched || unfinishedStates.includes(state)).map(({ guid }) => guid)

const unfinishedStates: readonly string[] = ['pending', 'running', 'retrying']
