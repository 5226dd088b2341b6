/**
 * Runs one schedule: several simulated processes with the real `Worker` share a store. The seed decides what happens,
 * which step comes next, and when. After each step, the invariants are checked.
 */
import type { Delivery } from '../../src/delivery.ts'
import type { Handler } from '../../src/handler.ts'
import type { Inbox, NewDelivery } from '../../src/inbox/inbox.ts'
import { Discard } from '../../src/inbox/retry.ts'
import { Worker } from '../../src/inbox/worker/worker.ts'
import { textIn } from '../../src/runtime/json.ts'
import { sleep } from '../../src/runtime/timer.ts'
import { Host } from '../inbox/fixtures.ts'
import type { SimulationEvent } from './history.ts'
import { Invariants, unfinished } from './invariants.ts'
import { Random } from './random.ts'
import {
  type Action,
  attempts,
  type Behavior,
  type HandlerPlan,
  type Operation,
  type Scenario,
  type Sending,
  troubleEnds,
} from './scenario.ts'
import type { CallQueue, Fate, SentCall, SimulatedStore, Snapshot } from './store.ts'
import { settled, VirtualProcess, VirtualTime } from './virtual-time.ts'

/** Milliseconds after the end of the trouble within which every delivery has to end. */
const patience = 60 * 60_000

/** The maximum delay of an answer, in milliseconds. */
const longestDelay = 30_000

/** The maximum number of steps of a schedule. */
const maxSteps = 60_000

export interface Outcome {
  /** The first violated invariant. */
  violation?: string
  /** What happened, one line for each event. */
  trace: readonly string[]
  steps: number
  /** The number of faults of each kind. */
  faults: Readonly<Record<string, number>>
}

/** A process that receives deliveries and runs handlers. */
interface Running {
  readonly process: VirtualProcess
  readonly inbox: Inbox
  readonly queues: readonly CallQueue[]
  readonly worker: Worker
  /** Whether the worker has been told to stop. */
  isClosing: boolean
}

export async function simulate(scenario: Scenario, store: SimulatedStore): Promise<Outcome> {
  const simulation = new Simulation(scenario, store)
  const uninstall = simulation.time.install(new Random(scenario.seed))
  try {
    return await simulation.run()
  } finally {
    uninstall()
  }
}

class Simulation {
  readonly time = new VirtualTime()
  readonly #scenario: Scenario
  readonly #store: SimulatedStore
  readonly #random: Random
  readonly #begin: number
  readonly #invariants: Invariants
  /** The events since the last check of the invariants. */
  #events: SimulationEvent[] = []
  #snapshot: Snapshot = { deliveries: [] }
  readonly #trace: string[] = []
  readonly #faults: Record<string, number> = {}
  readonly #processes: (Running | undefined)[] = []
  /** Has the timers of what happens outside of the processes. */
  readonly #scene = new VirtualProcess('the scene', this.time)
  readonly #actions: Action[]
  /** The deliveries that the scenario has sent, by number. */
  readonly #sent = new Map<number, NewDelivery>()
  readonly #ids = new Map<number, number>()
  #started = 0
  #steps = 0

  constructor(scenario: Scenario, store: SimulatedStore) {
    this.#scenario = scenario
    this.#store = store
    this.#random = new Random(scenario.seed ^ 0x5bd1e995)
    this.#begin = this.time.now
    this.#actions = [...scenario.actions]
    this.#invariants = new Invariants(scenario)
  }

  async run(): Promise<Outcome> {
    await this.#store.empty()
    for (let index = 0; index < this.#scenario.processes; index++) this.#start(index)
    while (this.#steps++ < maxSteps) {
      const violation = await this.#check()
      if (violation) return this.#outcome(violation)
      if (this.#isOver()) return this.#outcome(await this.#end())
      await this.#step()
    }
    return this.#outcome(`The schedule has not ended after ${maxSteps} steps`)
  }

  /** Lets the processes run until they wait, then checks the invariants. @returns the first violation. */
  async #check(): Promise<string | undefined> {
    await settled()
    this.#snapshot = await this.#store.snapshot()
    const events = this.#events
    this.#events = []
    return this.#invariants.check(events, this.#snapshot)
  }

  #outcome(violation: string | undefined): Outcome {
    for (const running of this.#processes) running?.process.end()
    const result = { trace: this.#trace, steps: this.#steps, faults: this.#faults }
    return violation ? { ...result, violation } : result
  }

  #isOver(): boolean {
    if (this.#elapsed < troubleEnds || this.#actions.length > 0) return false
    return unfinished(this.#snapshot).length === 0 || this.#elapsed > troubleEnds + patience
  }

  /** Stops all workers. @returns the first violation, if there is one. */
  async #end(): Promise<string | undefined> {
    const stuck = unfinished(this.#snapshot)
    if (stuck.length > 0) return `An hour after all trouble, these deliveries have not ended: ${stuck.join(', ')}`
    for (let step = 0; this.#running().length > 0; step++) {
      if (step === maxSteps) return 'A worker did not stop'
      for (const running of this.#running()) this.#close(running)
      const violation = await this.#check()
      if (violation) return violation
      await this.#step()
    }
    return (await this.#check()) ?? this.#invariants.checkEnd()
  }

  get #elapsed(): number {
    return this.time.now - this.#begin
  }

  get #isTrouble(): boolean {
    return this.#elapsed < troubleEnds
  }

  #running(): Running[] {
    return this.#processes.filter((running) => running !== undefined)
  }

  #say(text: string): void {
    this.#trace.push(`${(this.#elapsed / 1000).toFixed(3).padStart(8)} s  ${text}`)
  }

  /** Takes one of the steps that are possible now, or lets time pass until one is. */
  async #step(): Promise<void> {
    const steps: (() => unknown)[] = []
    let next = Number.POSITIVE_INFINITY
    const [action] = this.#actions
    if (action) {
      const at = this.#begin + action.at
      if (at <= this.time.now) steps.push(() => this.#act(this.#actions.shift() as Action))
      else next = at
    }
    const running = this.#running().filter(({ process }) => process.mayRun)
    for (const { process, queues } of running) {
      for (const queue of queues) {
        for (const call of queue.nextCalls) steps.push(() => this.#carryOut(process, queue, call))
        for (const answer of queue.nextAnswers) {
          if (answer.at <= this.time.now) steps.push(() => process.run(() => queue.deliver(answer)))
          else next = Math.min(next, answer.at)
        }
      }
    }
    for (const { timers } of [this.#scene, ...running.map(({ process }) => process)]) {
      for (const timer of timers) {
        if (timer.at <= this.time.now) steps.push(() => timer.fire())
        else next = Math.min(next, timer.at)
      }
    }
    const lastsLonger = next < Number.POSITIVE_INFINITY && this.#random.chance(0.02) // the possible steps take time
    if (steps.length > 0 && !lastsLonger) await this.#random.pick(steps)()
    else this.time.now = next < Number.POSITIVE_INFINITY ? next : this.time.now + 1000
  }

  async #carryOut(process: VirtualProcess, queue: CallQueue, call: SentCall): Promise<void> {
    const fate = this.#fate()
    const delay = fate === 'is answered late' ? this.#random.between(100, longestDelay) : 0
    await process.run(() => queue.carryOut(call, fate, this.time.now + delay))
    if (fate !== 'succeeds') this.#count(`${process.name}: ${call.method} ${fate}`, `a call ${fate}`)
    else if (!quiet.has(call.method)) this.#say(`${process.name}: ${call.method}`)
  }

  #fate(): Fate {
    if (!this.#isTrouble || !this.#random.chance(this.#scenario.faults)) return 'succeeds'
    return this.#random.pick(['fails', 'is lost', 'is answered late'])
  }

  #start(index: number): void {
    const process = new VirtualProcess(`process ${++this.#started}`, this.time)
    const { inbox, queues } = this.#store.open(process)
    process.run(() => {
      const worker = new Worker(inbox, this.#hostOf(process), { now: () => Date.now() })
      this.#processes[index] = { process, inbox, queues, worker, isClosing: false }
      worker.start()
    })
    this.#say(`${process.name} starts`)
  }

  #hostOf(process: VirtualProcess): Host {
    const host = new Host()
    host.onDead = (_error, { guid }) => {
      if (!process.hasEnded) this.#events.push({ kind: 'died', guid })
    }
    for (const [index, { name, concurrency, isOrdered }] of this.#scenario.handlers.entries()) {
      const order = isOrdered ? ({ data }: Delivery) => textIn(data, 'key') : undefined
      const handler: Handler = (_data, guid, delivery) => this.#handle(process, index, Number(guid), delivery)
      host.on('push', handler, { name, concurrency, attempts, backoff: 1000, ...(order && { order }) })
    }
    return host
  }

  /** What handlers do. */
  async #handle(process: VirtualProcess, index: number, number: number, delivery: Delivery): Promise<void> {
    if (process.hasEnded) return never
    const handler = (this.#scenario.handlers[index] as HandlerPlan).name
    const { behaviors, durations } = this.#scenario.actions.find((action): action is Action & Sending => {
      return action.kind === 'deliver' && action.delivery === number
    }) as Sending
    this.#say(`${process.name}: ${handler} begins delivery ${number}, attempt ${delivery.attempt}`)
    const behavior = behaviors[index] as Behavior
    if (behavior === 'ends the process') {
      this.#crash(process, 'handler ends the process')
      return never
    }
    this.#events.push({ kind: 'begins', process, handler, guid: delivery.guid, attempt: delivery.attempt ?? 0 })
    try {
      await sleep(durations[index] as number, delivery.signal)
      delivery.signal.throwIfAborted()
      if (behavior === 'discards') throw new Discard()
      if (behavior === 'fails' || (behavior === 'fails once' && delivery.attempt === 1)) throw new Error('no')
    } finally {
      this.#events.push({ kind: 'ends', process, handler })
    }
  }

  async #act(action: Action): Promise<void> {
    if (action.kind === 'deliver') this.#send(action.delivery, newDelivery(action, this.time.now))
    else if (action.kind === 'deliver again') this.#sendAgain(action.delivery)
    else if ('delivery' in action) this.#operate(action)
    else if (action.kind === 'pause') await this.#pause(action.handler)
    else {
      const running = this.#processes[action.process]
      if (!running?.process.mayRun) return
      if (action.kind === 'close') this.#close(running)
      else if (action.kind === 'set the clock') this.#setClock(running.process, action.skew)
      else if ('duration' in action) this.#suspend(running.process, action)
      else this.#crash(running.process, 'crash')
    }
  }

  #count(text: string, fault: string): void {
    this.#say(text)
    this.#faults[fault] = (this.#faults[fault] ?? 0) + 1
  }

  /** Does something later. */
  #later(ms: number, work: () => void): void {
    this.#scene.run(() => setTimeout(work, ms))
  }

  #send(number: number, delivery: NewDelivery): void {
    const candidates = this.#running().filter(({ process, isClosing }) => !isClosing && process.mayRun)
    const running = candidates[Math.floor(this.#random.next() * candidates.length)]
    if (!running) {
      this.#later(1000, () => this.#send(number, delivery))
      return
    }
    this.#sent.set(number, delivery)
    running.process.run(() => {
      running.inbox.store(delivery).then(
        ({ id, outcome }) => {
          this.#say(`delivery ${number} is ${outcome}`)
          this.#ids.set(number, id)
          this.#events.push({ kind: 'acknowledged', guid: delivery.guid })
          running.worker.wake()
        },
        () => this.#later(1000, () => this.#send(number, delivery)),
      )
    })
  }

  #sendAgain(number: number): void {
    const sent = this.#sent.get(number)
    if (!sent) return
    this.#events.push({ kind: 'operated', guid: sent.guid }) // a copy runs the handlers of a dead delivery again
    this.#send(number, sent)
  }

  async #pause(handler: string): Promise<void> {
    this.#say(`an operator pauses ${handler}, for ten seconds`)
    await this.#store.pause(handler)
    this.#later(10_000, () => this.#store.resume(handler))
  }

  #setClock(process: VirtualProcess, skew: number): void {
    this.#count(`the clock of ${process.name} is set by ${skew} ms`, 'clock')
    process.skew = skew
  }

  #operate({ kind, delivery }: Operation): void {
    const id = this.#ids.get(delivery)
    const running = this.#running().find(({ process, isClosing }) => !isClosing && process.mayRun)
    if (!id || !running) return
    this.#say(`an operator wants to ${kind} delivery ${delivery}`)
    this.#events.push({ kind: 'operated', guid: String(delivery) })
    const { inbox, process } = running
    process.run(() => {
      const done = kind === 'retry' ? inbox.retry({ ids: [id] }) : inbox.discard({ ids: [id] }, 'no')
      done.catch(() => undefined)
    })
  }

  #suspend(process: VirtualProcess, { kind, duration }: Extract<Action, { kind: 'suspend' | 'sleep' }>): void {
    this.#count(`${process.name} is suspended for ${duration} ms`, kind === 'sleep' ? 'machine sleeps' : 'suspension')
    process.isSuspended = true
    this.#later(duration, () => {
      if (kind === 'sleep') process.slept += duration
      if (!process.hasEnded) process.resume()
      this.#say(`${process.name} resumes`)
    })
  }

  /** Ends a process. Another one starts a second later. */
  #crash(process: VirtualProcess, fault: 'crash' | 'handler ends the process'): void {
    const index = this.#processes.findIndex((running) => running?.process === process)
    this.#count(`${process.name} ends: ${fault}`, fault)
    process.end()
    this.#events.push({ kind: 'crashed', process, now: this.time.now })
    this.#processes[index] = undefined
    this.#later(1000, () => this.#start(index))
  }

  /** Stops a worker. In trouble, another process starts a second later. */
  #close(running: Running): void {
    const { process, worker } = running
    if (running.isClosing) return
    running.isClosing = true
    const index = this.#processes.indexOf(running)
    this.#count(`${process.name} closes`, 'close')
    const restarts = this.#isTrouble
    void process.run(async () => {
      await worker.stop(5000)
      this.#events.push({ kind: 'stopped', process })
      process.end()
      this.#processes[index] = undefined
      this.#say(`${process.name} has closed`)
      if (restarts) this.#later(1000, () => this.#start(index))
    })
  }
}

/** The promise of code whose process has ended. */
const never = new Promise<never>(() => {})

/** Calls that are too frequent for the trace. */
const quiet = new Set(['claim', 'offer', 'recordMatches', 'readUnmatched', 'load', 'heartbeat', 'addWorker'])

function newDelivery({ delivery, key }: Sending, now: number): NewDelivery {
  return {
    ...{ source: '/hooks', hookId: '1', guid: String(delivery), event: 'push', headers: {}, form: 'json' },
    ...{ body: new TextEncoder().encode(JSON.stringify({ key, delivery })), address: undefined, receivedAt: now },
    ...{ secretId: undefined, secretIndex: 0, algorithm: 'sha256' },
  }
}
