/** The events of a schedule, and counts of them. The invariants compare them with the contents of the store. */
import type { Scenario } from './scenario.ts'
import type { DeliveryRecord, Snapshot, TaskRecord } from './store.ts'
import type { VirtualProcess } from './virtual-time.ts'

/** The code of a handler begins. */
export interface Begin {
  kind: 'begins'
  process: VirtualProcess
  handler: string
  guid: string
  attempt: number
}

export type SimulationEvent =
  | Begin
  | (Omit<Begin, 'kind'> & { kind: 'ends' })
  /**
   * `operated`: an operator has retried or discarded a delivery. `resent`: GitHub has sent it again. `died`: `onDead` was
   * called.
   */
  | { kind: 'acknowledged' | 'operated' | 'resent' | 'died'; guid: string }
  /** `byHandler`: a handler has ended the process. */
  | { kind: 'crashed'; process: VirtualProcess; byHandler: boolean }
  /** The store has given this id to the worker of the process. */
  | { kind: 'registered'; process: VirtualProcess; worker: number }
  /** The worker of the process was told to stop. `stopped`: it has stopped. */
  | { kind: 'stops' | 'stopped'; process: VirtualProcess }
  /** The heartbeats of the process hang for so long that its leases may expire. */
  | { kind: 'lost touch'; process: VirtualProcess }
  /**
   * No handler has work, and no call of the process is unanswered. The worker holds these slots and bytes of memory, and
   * the receiver the memory of these bytes of bodies.
   */
  | { kind: 'idle'; process: VirtualProcess; slots: number; bytes: number; bodies: number }
  /** An operator pauses or resumes a handler. */
  | { kind: 'paused' | 'resumed'; handler: string }

/** A worker while time passes. */
export interface WorkerState {
  readonly process: VirtualProcess
  /** Whether it may start tasks: it does not close, and its process is not suspended. */
  readonly mayStart: boolean
  /** The concurrency of its handlers. */
  readonly handlers: ReadonlyMap<string, number>
  /** Whether a call of the store has not been carried out or answered. */
  readonly isCalling: boolean
  /** The slots that its tasks own. */
  readonly slots: number
}

export class History {
  readonly scenario: Scenario
  readonly isReliable: boolean
  readonly acknowledged: Set<string> = new Set()
  readonly operated: Set<string> = new Set()
  readonly pruned: Set<string> = new Set()
  readonly resent: Set<string> = new Set()
  readonly stops: Set<VirtualProcess> = new Set()
  readonly stopped: Set<VirtualProcess> = new Set()
  /** The processes whose leases may have expired without their knowledge. */
  readonly lostTouch: Set<VirtualProcess> = new Set()
  /** How often `onDead` was called, by delivery. */
  readonly deathsReported: Counter<string> = new Counter()
  /** How often a delivery has become dead in the store. */
  readonly deathsSeen: Counter<string> = new Counter()
  /** The calls of handlers, by task. */
  readonly calls: Counter<string> = new Counter()
  /** How many leases of a task have expired that were not claimed ahead. */
  readonly countedCutOffs: Counter<string> = new Counter()
  /** How many leases a task has lost because a handler ended the process, without those that were claimed ahead. */
  readonly lostToHandlers: Counter<string> = new Counter()
  /** The attempts whose code has ended: the task, and the number of the attempt. */
  readonly ended: Set<string> = new Set()
  /** The latest delivery that began, by handler and order key. */
  readonly latest: Map<string, number> = new Map()
  /** How often later deliveries were matched while a delivery was unmatched, by its id. */
  readonly overtaken: Counter<number> = new Counter()
  /** The paused handlers. `allHandlers` stands for all. */
  readonly paused: Set<string> = new Set()
  readonly #running = new Map<VirtualProcess, Counter<string>>()
  /** The processes of the workers, by id. */
  readonly #workers = new Map<number, VirtualProcess>()
  #newestMatched = 0

  constructor(scenario: Scenario, isReliable: boolean) {
    this.scenario = scenario
    this.isReliable = isReliable
  }

  /** The process to whose worker the store has given an id. */
  processOf(worker: number): VirtualProcess | undefined {
    return this.#workers.get(worker)
  }

  /** The attempts whose code runs in a process, by handler. */
  running(process: VirtualProcess): ReadonlyMap<string, number> {
    return this.#runningIn(process).counts
  }

  /** @param snapshot The contents of the store now. */
  add(event: SimulationEvent, snapshot: Snapshot): void {
    switch (event.kind) {
      case 'acknowledged':
      case 'operated':
      case 'resent':
        this[event.kind].add(event.guid)
        break
      case 'died':
        this.deathsReported.add(event.guid)
        break
      case 'crashed':
        this.#running.delete(event.process)
        if (event.byHandler) this.#addLost(event.process, snapshot)
        break
      case 'registered':
        this.#workers.set(event.worker, event.process)
        break
      case 'stops':
      case 'stopped':
        this[event.kind].add(event.process)
        break
      case 'lost touch':
        this.lostTouch.add(event.process)
        break
      case 'paused':
        this.paused.add(event.handler)
        break
      case 'resumed':
        this.paused.delete(event.handler)
        break
      case 'ends':
        this.#runningIn(event.process).add(event.handler, -1)
        this.ended.add(`${event.guid} ${event.handler} ${event.attempt}`)
        break
      case 'begins':
        this.#addBegin(event, snapshot)
    }
  }

  /**
   * The contents of the store have changed. @returns the deliveries that may have changed, and those that are no longer in
   * the store.
   */
  addChange(before: Snapshot, now: Snapshot): { changes: Change[]; gone: readonly DeliveryRecord[] } {
    const known = before.deliveries
    const changes: Change[] = []
    let stays = 0
    for (let index = 0; index < now.deliveries.length; index++) {
      const delivery = now.deliveries[index] as DeliveryRecord
      const at = known[index]
      const earlier = at === undefined || at.id === delivery.id ? at : known.find(({ id }) => id === delivery.id)
      if (earlier) stays++
      if (earlier === delivery) continue
      changes.push({ delivery, earlier })
      this.#addCutOffs(delivery, earlier)
      if (delivery.state === 'dead' && earlier?.state !== 'dead') this.deathsSeen.add(delivery.guid)
    }
    this.#countOvertaking(now)
    const gone = stays < known.length ? known.filter((one) => !now.deliveries.some(({ id }) => id === one.id)) : []
    for (const { guid } of gone) this.pruned.add(guid)
    return { changes, gone }
  }

  #addCutOffs({ guid, tasks }: DeliveryRecord, earlier: DeliveryRecord | undefined): void {
    for (const { handler, cutOffs } of tasks) {
      const before = earlier?.tasks.find((task) => task.handler === handler)
      const count = cutOffs - (before?.cutOffs ?? 0)
      if (count > 0) this.countedCutOffs.add(`${guid} ${handler}`, count - Number(before?.isAhead ?? false))
    }
  }

  #addLost(process: VirtualProcess, { deliveries }: Snapshot): void {
    for (const { guid, tasks } of deliveries) {
      for (const { handler, worker, isAhead } of tasks) {
        if (worker === undefined || isAhead || this.#workers.get(worker) !== process) continue
        this.lostToHandlers.add(`${guid} ${handler}`)
      }
    }
  }

  #runningIn(process: VirtualProcess): Counter<string> {
    const running = this.#running.get(process) ?? new Counter()
    this.#running.set(process, running)
    return running
  }

  #addBegin({ process, handler, guid, attempt }: Begin, snapshot: Snapshot): void {
    this.calls.add(`${guid} ${handler}`)
    this.#runningIn(process).add(handler)
    const { delivery, task } = find(snapshot, guid, handler)
    if (!delivery || !task?.orderKey) return
    // The process may have lost the lease, and a new delivery may have the GUID of a pruned one.
    if (task.state !== 'running' || task.attemptsUsed !== attempt) return
    const queue = `${handler} ${task.orderKey}`
    this.latest.set(queue, Math.max(this.latest.get(queue) ?? 0, delivery.id))
  }

  #countOvertaking({ deliveries }: Snapshot): void {
    const newest = deliveries.findLast(({ isMatched }) => isMatched)?.id ?? 0
    if (newest === this.#newestMatched) return
    this.#newestMatched = newest
    for (const { id, isMatched } of deliveries) {
      if (isMatched) this.overtaken.counts.delete(id)
      else if (id < newest) this.overtaken.add(id)
    }
  }
}

/** A delivery, and its record before the change. */
export interface Change {
  readonly delivery: DeliveryRecord
  readonly earlier: DeliveryRecord | undefined
}

/** Counts by key. */
export class Counter<Key> {
  readonly counts: Map<Key, number> = new Map()

  of(key: Key): number {
    return this.counts.get(key) ?? 0
  }

  add(key: Key, count = 1): void {
    this.counts.set(key, this.of(key) + count)
  }
}

/** The delivery with a GUID, and its task of a handler. */
export function find(
  { deliveries }: Snapshot,
  guid: string,
  handler: string,
): { delivery: DeliveryRecord | undefined; task: TaskRecord | undefined } {
  const delivery = deliveries.find((one) => one.guid === guid)
  return { delivery, task: delivery?.tasks.find((task) => task.handler === handler) }
}
