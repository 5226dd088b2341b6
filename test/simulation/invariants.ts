/**
 * The invariants of every schedule. The class reads stored data from the store. The simulation reports which handlers
 * begin and end.
 */
import type { Connection } from '../../src/sqlite/connection/connection.ts'
import { attempts, type Scenario } from './scenario.ts'
import type { VirtualProcess } from './virtual-time.ts'

interface Run {
  process: VirtualProcess
  handler: string
}

interface TaskRow {
  delivery_id: number
  guid: string
  handler: string
  state: string
  order_key: string | null
  attempt: number
  attempts_used: number
}

/** How many later deliveries may be matched before an unmatched one. Each worker may have read a batch ahead. */
const maxOvertaking = 3

export class Invariants {
  readonly #connection: Connection
  readonly #scenario: Scenario
  readonly #acknowledged = new Set<string>()
  /** The deliveries that an operator has retried or discarded. */
  readonly #operated = new Set<string>()
  readonly #running = new Map<VirtualProcess, Map<string, number>>()
  readonly #stopped = new Set<VirtualProcess>()
  /** How often `onDead` was called, and how often the delivery has become dead. */
  readonly #deaths = new Map<string, { reported: number; seen: number; isDead: boolean }>()
  /** The calls of handlers, by task. */
  readonly #calls = new Map<string, number>()
  /** The latest delivery that began, by handler and order key. */
  readonly #latest = new Map<string, number>()
  /** The number of calls after which a delivery was still unmatched while later ones were matched. */
  readonly #overtaken = new Map<number, number>()
  #newestMatched = 0
  #violation: string | undefined

  constructor(connection: Connection, scenario: Scenario) {
    this.#connection = connection
    this.#scenario = scenario
  }

  acknowledged(guid: string): void {
    this.#acknowledged.add(guid)
  }

  operated(guid: string): void {
    this.#operated.add(guid)
  }

  crashed(process: VirtualProcess): void {
    this.#running.delete(process)
  }

  stopped(process: VirtualProcess): void {
    this.#stopped.add(process)
    const running = [...(this.#running.get(process) ?? [])].filter(([, count]) => count > 0)
    if (running.length > 0) this.#violate(`${process.name} has closed, but ${running[0]?.[0]} still runs`)
  }

  died(guid: string): void {
    this.#deathOf(guid).reported++
  }

  /** The code of a handler begins. */
  begins({ process, handler, guid, attempt }: Run & { guid: string; attempt: number }): void {
    this.#calls.set(`${guid} ${handler}`, (this.#calls.get(`${guid} ${handler}`) ?? 0) + 1)
    const running = this.#running.get(process) ?? new Map<string, number>()
    this.#running.set(process, running)
    const count = (running.get(handler) ?? 0) + 1
    running.set(handler, count)
    const plan = this.#scenario.handlers.find(({ name }) => name === handler)
    if (count > (plan?.concurrency ?? 0)) this.#violate(`concurrency: ${process.name} runs ${count} of ${handler}`)
    if (this.#stopped.has(process)) this.#violate(`closed: ${process.name} begins ${handler} after it has closed`)
    const task = this.#connection.get<TaskRow>(selectTask, guid, handler)
    // An operator may discard a delivery between the claim of a task and its begin.
    if (!this.#operated.has(guid) && (task?.state !== 'running' || task.attempts_used !== attempt)) {
      this.#violate(`leases: ${process.name} begins ${handler} of delivery ${guid} without the lease`)
    }
    if (plan?.isOrdered && attempt === 1 && !this.#operated.has(guid)) this.#checkOrder(task, handler, guid)
  }

  ends({ process, handler }: Run): void {
    const running = this.#running.get(process)
    running?.set(handler, (running.get(handler) ?? 0) - 1)
  }

  /** Called after each call of the store. */
  afterCall(): void {
    for (const { guid, state } of this.#connection.all<{ guid: string; state: string }>(selectStates)) {
      const death = this.#deathOf(guid)
      if (state === 'dead' && !death.isDead) death.seen++
      death.isDead = state === 'dead'
    }
    this.#checkOvertaking()
    for (const { handler, order_key } of this.#connection.all<TaskRow>(selectParallel)) {
      this.#violate(`order: two tasks of ${handler} with the key ${order_key} are leased`)
    }
  }

  check(): string | undefined {
    return this.#violation
  }

  /** The deliveries that have not ended. */
  unfinished(): string[] {
    return this.#connection.all<{ guid: string }>(selectUnfinished).map(({ guid }) => guid)
  }

  /** Checks the invariants of a schedule whose workers have all stopped. @returns the first violation. */
  atTheEnd(): string | undefined {
    for (const guid of this.#acknowledged) {
      if (!this.#connection.get('select 1 from deliveries where guid = ?', guid)) return `stored: ${guid} is lost`
    }
    for (const [guid, { reported, seen }] of this.#deaths) {
      if (reported > seen) return `onDead: delivery ${guid} died ${seen} times, and was reported ${reported} times`
    }
    for (const { guid, handler, attempts_used } of this.#connection.all<TaskRow>(selectDead)) {
      if (!this.#isInnocent(guid, handler)) continue
      const calls = this.#calls.get(`${guid} ${handler}`) ?? 0
      if (calls < attempts || this.#crashes === 0) {
        return `attempts: ${handler} of delivery ${guid} is dead after ${attempts_used} attempts, and was called ${calls} times`
      }
    }
    return undefined
  }

  /** How often the scenario ends a process, apart from handlers that do. */
  get #crashes(): number {
    return this.#scenario.actions.filter(({ kind }) => kind !== 'deliver').length
  }

  #isInnocent(guid: string, handler: string): boolean {
    const index = this.#scenario.handlers.findIndex(({ name }) => name === handler)
    return this.#scenario.actions.some((action) => {
      return action.kind === 'deliver' && String(action.delivery) === guid && action.behaviors[index] === 'succeeds'
    })
  }

  #deathOf(guid: string): { reported: number; seen: number; isDead: boolean } {
    const death = this.#deaths.get(guid) ?? { reported: 0, seen: 0, isDead: false }
    this.#deaths.set(guid, death)
    return death
  }

  #checkOrder(task: TaskRow | undefined, handler: string, guid: string): void {
    if (!task?.order_key) return
    const queue = `${handler} ${task.order_key}`
    const latest = this.#latest.get(queue) ?? 0
    if (task.delivery_id < latest) this.#violate(`order: ${handler} begins delivery ${guid} after a later one`)
    this.#latest.set(queue, Math.max(latest, task.delivery_id))
  }

  /** Whatever is unmatched is matched before long, although later deliveries arrive. */
  #checkOvertaking(): void {
    const newest = this.#connection.get<{ id: number | null }>('select max(id) as id from deliveries where matched')?.id
    if (!newest || newest === this.#newestMatched) return
    this.#newestMatched = newest
    const waiting = this.#connection.all<{ id: number; guid: string }>(selectOvertaken, newest)
    for (const { id, guid } of waiting) {
      const count = (this.#overtaken.get(id) ?? 0) + 1
      this.#overtaken.set(id, count)
      if (count > maxOvertaking * this.#scenario.processes) {
        this.#violate(`oldest first: delivery ${guid} is unmatched, and later ones were matched ${count} times`)
      }
    }
    const ids = new Set(waiting.map(({ id }) => id))
    for (const id of this.#overtaken.keys()) if (!ids.has(id)) this.#overtaken.delete(id)
  }

  #violate(text: string): void {
    this.#violation ??= text
  }
}

const selectTask = `
  select tasks.* from tasks join deliveries on deliveries.id = delivery_id where guid = ? and handler = ?`
const selectStates = 'select guid, state from deliveries'
const selectParallel = `
  select handler, order_key from tasks where state = 'running' and order_key is not null
  group by handler, order_key having count(*) > 1`
const selectUnfinished = `
  select guid from deliveries where not matched or state in ('pending', 'running', 'retrying')`
const selectDead = `
  select guid, tasks.* from tasks join deliveries on deliveries.id = delivery_id where tasks.state = 'dead'`
const selectOvertaken = 'select id, guid from deliveries where not matched and id < ?'
