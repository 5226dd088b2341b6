/**
 * Runs one schedule: several simulated processes with the real `Worker` share a store. The seed decides what happens,
 * which step comes next, and when. After each step, the invariants are checked.
 */
import type { Delivery } from '../../src/delivery.ts'
import type { HookError } from '../../src/errors.ts'
import type { NewDelivery, Store } from '../../src/inbox/inbox.ts'
import { Worker } from '../../src/inbox/worker/worker.ts'
import { storeRetryDelay } from '../../src/inbox/worker/worker-host.ts'
import { leaseDuration } from '../../src/inbox/worker-heartbeats.ts'
import type { SimulationEvent, WorkerState } from './history.ts'
import { Invariants, unfinished } from './invariants.ts'
import { PossibleSteps, type Step } from './possible-steps.ts'
import { Random } from './random.ts'
import { type Action, type Operation, renamed, type Scenario, type Sending } from './scenario.ts'
import { behave, never, SimulatedHost } from './simulated-host.ts'
import { SimulatedReceiver } from './simulated-receiver.ts'
import {
  type Calls,
  type Fate,
  retention,
  type SentAnswer,
  type SentCall,
  type SimulatedStore,
  type Snapshot,
  storeSettings,
} from './store.ts'
import { settled, VirtualProcess, VirtualTime, VirtualTimer } from './virtual-time.ts'

/** Milliseconds after the end of the trouble within which every delivery has to end. */
const patience = 60 * 60_000

/** The maximum delay of an answer, in milliseconds. */
const longestDelay = 30_000

/** The maximum time between the two halves of a body, in milliseconds. It may be longer than the reply may take. */
const maxBodyPause = 12_000

/** The maximum time that passes while steps are possible, in milliseconds. */
const maxStepTime = 1000

/** The maximum number of steps of a schedule. */
const maxSteps = 60_000

export interface Outcome {
  /** The first violated invariant. */
  violation?: string
  /** One line for each event. */
  trace: readonly string[]
  steps: number
  /** The number of faults of each kind. */
  faults: Readonly<Record<string, number>>
}

/** A process that receives deliveries and runs handlers. */
interface Running {
  readonly process: VirtualProcess
  readonly inbox: Store
  readonly queues: readonly Calls[]
  readonly receiver: SimulatedReceiver
  readonly host: SimulatedHost
  readonly worker: Worker
  /** Whether the worker has been told to stop. */
  isClosing: boolean
}

interface HandlerCall extends Pick<Running, 'process' | 'host'> {
  /** The position of the handler in the scenario. */
  position: number
  handler: string
  delivery: Delivery
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
  /** When the schedule would have begun if it had not skipped any time. */
  #begin: number
  readonly #invariants: Invariants
  /** The events since the last check of the invariants. */
  #events: SimulationEvent[] = []
  #snapshot: Snapshot = { deliveries: [] }
  /** The deliveries in `#snapshot` that have not ended. */
  #unfinished: readonly string[] = []
  #violation: string | undefined
  readonly #possible = new PossibleSteps()
  readonly #trace: string[] = []
  readonly #faults: Record<string, number> = {}
  readonly #processes: (Running | undefined)[] = []
  /** Has the timers of what happens outside of the processes. */
  readonly #scene = new VirtualProcess('the scene', this.time)
  readonly #actions: Action[]
  /** The deliveries of the scenario, by number. */
  readonly #scheduled: ReadonlyMap<number, Sending>
  /** The deliveries that the scenario has sent, by number. */
  readonly #sent = new Map<number, NewDelivery>()
  readonly #ids = new Map<number, number>()
  /** The processes that are storing a delivery, with one entry for each delivery. */
  #storing: readonly VirtualProcess[] = []
  #started = 0
  /** Whether the workers are stopped for good. */
  #isEnding = false
  #steps = 0

  constructor(scenario: Scenario, store: SimulatedStore) {
    this.#scenario = scenario
    this.#store = store
    this.#random = new Random(scenario.seed ^ 0x5bd1e995)
    this.#begin = this.time.now
    this.#actions = [...scenario.actions]
    this.#scheduled = new Map(scenario.actions.flatMap((one) => (one.kind === 'deliver' ? [[one.delivery, one]] : [])))
    this.#invariants = new Invariants(scenario, !store.hasNetwork)
  }

  async run(): Promise<Outcome> {
    await this.#store.empty({
      random: new Random(this.#scenario.seed ^ 0x2545f491),
      time: this.time,
      troubleEnds: this.#scenario.troubleEnds,
      note: (text, fault) => this.#count(text, fault),
    })
    for (let index = 0; index < this.#scenario.processes; index++) this.#start(index)
    await settled()
    while (this.#steps++ < maxSteps) {
      await this.#step()
      if (this.#violation) return this.#outcome(this.#violation)
      if (this.#isOver()) return this.#outcome(await this.#end())
      this.#skipIdleTime()
    }
    return this.#outcome(`The schedule has not ended after ${maxSteps} steps`)
  }

  /** Takes a step, and checks the invariants. @returns a promise only if the step or the snapshot takes time. */
  #step(): Promise<void> | undefined {
    const taken = this.#takeStep()
    if (taken) return taken.then(() => this.#check())
    return this.#check()
  }

  #check(): Promise<void> | undefined {
    const snapshot = this.#store.snapshot()
    if (snapshot instanceof Promise) return snapshot.then((now) => this.#compare(now))
    this.#compare(snapshot)
    return undefined
  }

  /** Compares the contents of the store and the events since the last check with the invariants. */
  #compare(now: Snapshot): void {
    if (now === this.#snapshot && this.#events.length === 0) return
    if (now !== this.#snapshot) this.#unfinished = unfinished(now)
    this.#snapshot = now
    const events = this.#events
    this.#events = []
    this.#violation ??= this.#invariants.check(events, now)
  }

  #outcome(violation: string | undefined): Outcome {
    for (const running of this.#processes) running?.process.end()
    const result = { trace: this.#trace, steps: this.#steps, faults: this.#faults }
    return violation ? { ...result, violation } : result
  }

  #isOver(): boolean {
    if (this.#actions.length > 0 || this.#isTrouble) return false
    return this.#isDone || this.#elapsed > this.#scenario.troubleEnds + patience
  }

  /** Whether all deliveries have ended, and nothing else is planned than the actions of the scenario. */
  get #isDone(): boolean {
    if (this.#unfinished.length > 0 || this.#scene.timers.size > 0) return false
    return this.#storing.every(({ hasEnded }) => hasEnded)
  }

  /** If all work is done, the next action comes at once. Otherwise, workers would only poll until then. */
  #skipIdleTime(): void {
    if (!this.#isDone) return
    const next = this.#actions[0]?.at ?? this.#scenario.troubleEnds
    this.#begin -= Math.max(0, next - this.#elapsed)
  }

  /** Waits until all workers are idle, and stops them. @returns the first violation, if there is one. */
  async #end(): Promise<string | undefined> {
    if (this.#unfinished.length > 0) {
      return `An hour after all trouble, these deliveries have not ended: ${this.#unfinished.join(', ')}`
    }
    this.#isEnding = true
    const [begin, busyAt] = [this.time.now, new Map<Running, number>()]
    for (let step = 0; this.#running().length > 0; step++) {
      if (step === maxSteps) return 'A worker did not stop'
      for (const running of this.#running()) {
        if (!isIdle(running, this.time.now)) busyAt.set(running, this.time.now)
        // Until then, the worker may repeat a call that has failed.
        const idleFrom = (busyAt.get(running) ?? begin) + 2 * storeRetryDelay
        if (running.isClosing || this.time.now < idleFrom) continue
        const { process, worker, receiver } = running
        this.#events.push({ kind: 'idle', process, ...worker.held, bodies: receiver.held })
        this.#close(running)
        await settled()
      }
      await this.#step()
      if (this.#violation) return this.#violation
    }
    await this.#check()
    return this.#violation ?? this.#invariants.checkEnd()
  }

  get #elapsed(): number {
    return this.time.now - this.#begin
  }

  get #isTrouble(): boolean {
    return this.#elapsed < this.#scenario.troubleEnds
  }

  #running(): Running[] {
    return this.#processes.filter((running) => running !== undefined)
  }

  #say(text: string): void {
    this.#trace.push(`${(this.#elapsed / 1000).toFixed(3).padStart(8)} s  ${text}`)
  }

  /** Takes one of the possible steps. Before that, lets time pass until one is possible. */
  #takeStep(): Promise<void> | undefined {
    for (;;) {
      const { count, next } = this.#findSteps()
      const takesTime = count > 0 && this.#random.chance(0.02)
      if (count > 0 && !takesTime) return this.#take(this.#possible.at(this.#random.between(0, count - 1)))
      const soon = this.time.now + maxStepTime
      this.#pass(takesTime || next === Number.POSITIVE_INFINITY ? Math.min(next, soon) : next)
      if (this.#violation || this.#elapsed > this.#scenario.troubleEnds + patience) return undefined
    }
  }

  #findSteps(): PossibleSteps {
    const steps = this.#possible
    steps.clear(this.time.now)
    const [action] = this.#actions
    if (action) steps.add(action, this.#begin + action.at)
    for (const timer of this.#scene.timers) steps.add(timer, timer.at)
    for (const running of this.#processes) {
      if (!running?.process.mayRun) continue
      for (const queue of running.queues) {
        for (const call of queue.nextCalls) steps.add(call, this.time.now, running.process, queue)
        for (const answer of queue.nextAnswers) steps.add(answer, answer.at, running.process, queue)
      }
      for (const timer of running.process.timers) steps.add(timer, timer.at)
    }
    return steps
  }

  /** @returns a promise if the step takes real time, or if code of a process runs. */
  #take({ item, queue, process }: Step): Promise<void> | undefined {
    if (queue && process && 'method' in item) return this.#carryOut(process, queue, item)
    if (queue && process && 'deliver' in item) process.run(() => queue.deliver(item as SentAnswer))
    else if (item instanceof VirtualTimer) item.fire()
    else {
      this.#actions.shift()
      return this.#act(item as Action).then(settled)
    }
    return settled()
  }

  #carryOut({ name, run }: VirtualProcess, queue: Calls, call: Pick<SentCall, 'method'>): Promise<void> | undefined {
    const fate = this.#fate(call.method)
    const delay = fate === 'is answered late' ? this.#random.between(100, longestDelay) : 0
    if (fate !== 'succeeds') this.#count(`${name}: ${call.method} ${fate}`, `a call ${fate}`)
    else if (!quiet.has(call.method)) this.#say(`${name}: ${call.method}`)
    return run(() => queue.carryOut(call, fate, this.time.now + delay))
  }

  #fate(method: string): Fate {
    if (this.#scenario.faults === 0 || !this.#isTrouble || !this.#random.chance(this.#scenario.faults))
      return 'succeeds'
    const fate = this.#random.pick(['fails', 'is lost', 'is answered late'] as const)
    // `addWorker` changes only the memory of its thread. A thread that dies before its answer loses this memory, too.
    return method === 'addWorker' && fate === 'is lost' ? 'fails' : fate
  }

  /** Lets time pass. */
  #pass(to: number): void {
    const ms = to - this.time.now
    this.time.now = to
    if (this.#store.hasNetwork) return
    if (this.#unfinished.length === 0 || (this.#scenario.faults > 0 && this.#isTrouble)) return
    const workers = this.#running().map(({ process, host, worker, queues, isClosing }): WorkerState => {
      const waits = queues.some(({ answers }) => answers.some(({ at }) => at > to)) // for an answer that is late
      const mayStart = process.mayRun && !isClosing && !waits
      const isCalling = !queues.every(isAnswered)
      return { process, mayStart, isCalling, handlers: host.concurrency, slots: worker.held.slots }
    })
    this.#violation ??= this.#invariants.checkProgress({ ms, now: to, workers })
  }

  #start(index: number): void {
    const process = new VirtualProcess(`process ${++this.#started}`, this.time)
    const { inbox, queues } = this.#store.open(process)
    const register = inbox.registerWorker.bind(inbox)
    inbox.registerWorker = async (...args) => {
      const worker = await register(...args)
      this.#events.push({ kind: 'registered', process, worker })
      return worker
    }
    const host: SimulatedHost = new SimulatedHost(this.#scenario, (position, handler, delivery) => {
      return this.#handle({ process, host, position, handler, delivery })
    })
    host.onDead = ({ delivery }) => {
      if (!process.hasEnded) this.#events.push({ kind: 'died', guid: delivery.guid })
    }
    process.run(() => {
      const worker = new Worker(inbox, host)
      const receiver = new SimulatedReceiver(inbox, {
        stored: (guid, { id, outcome }) => {
          this.#say(`delivery ${guid} is ${outcome}`)
          this.#ids.set(Number(guid), id)
        },
        onStored: () => worker.wake(),
      })
      this.#processes[index] = { process, inbox, queues, receiver, host, worker, isClosing: false }
      const wait = this.#scenario.workersStart - this.#elapsed
      if (wait > 0) setTimeout(() => worker.start(), wait)
      else worker.start()
    })
    this.#say(`${process.name} starts`)
  }

  /** The code of a handler. */
  #handle({ process, host, position, handler, delivery }: HandlerCall): unknown {
    if (process.hasEnded) return never()
    const { behaviors, durations } = this.#scheduled.get(Number(delivery.guid)) as Sending
    const [behavior = 'succeeds', duration = 0] = [behaviors[position], durations[position]]
    const { guid, attempt = 0 } = delivery
    this.#say(`${process.name}: ${handler} begins delivery ${guid}, attempt ${attempt}`)
    this.#events.push({ kind: 'begins', process, handler, guid, attempt })
    host.running++
    const ends = () => {
      host.running--
      this.#events.push({ kind: 'ends', process, handler, guid, attempt })
    }
    const crash = () => this.#crash(process, 'handler ends the process')
    return behave({ behavior, duration, delivery, ends, crash })
  }

  async #act(action: Action): Promise<void> {
    if (action.kind === 'deliver') this.#send(action.delivery, newDelivery(action, this.time.now))
    else if (action.kind === 'deliver again') this.#sendAgain(action.delivery)
    else if ('delivery' in action) this.#operate(action)
    else if (action.kind === 'pause') await this.#pause(action.handler)
    else if (action.kind === 'prune') this.#prune()
    else {
      const running = this.#processes[action.process]
      if (!running?.process.mayRun) return
      if (action.kind === 'close') this.#close(running)
      else if (action.kind === 'set the clock') this.#setClock(running.process, action.skew)
      else if (action.kind === 'set concurrency') this.#setConcurrency(running, action)
      else if ('handler' in action) this.#changeHandlers(running, action)
      else if (action.kind === 'stop heartbeats') this.#stopHeartbeats(running.process, action.duration)
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
    const { process, receiver } = running
    this.#storing = [...this.#storing, process]
    const ended = () => {
      this.#storing = this.#storing.toSpliced(this.#storing.indexOf(process), 1)
    }
    const pause = this.#isTrouble && this.#random.chance(0.1) ? this.#random.between(0, maxBodyPause) : 0
    process.run(() => {
      receiver
        .receive(delivery, pause)
        .finally(ended)
        .then(
          () => this.#events.push({ kind: 'acknowledged', guid: delivery.guid }),
          (error: HookError) => {
            this.#count(`delivery ${number} is rejected: ${error.code}`, 'a delivery is rejected')
            this.#later(1000, () => this.#sendAgain(number)) // the store may have stored it nevertheless
          },
        )
    })
  }

  #sendAgain(number: number): void {
    const sent = this.#sent.get(number)
    if (!sent) return
    this.#events.push({ kind: 'resent', guid: sent.guid }) // a copy runs the handlers of a dead delivery again
    this.#send(number, sent)
  }

  /** An operator pauses a handler, and resumes it after ten seconds. */
  async #pause(handler: string): Promise<void> {
    this.#say(`an operator pauses ${handler}, for ten seconds`)
    this.#events.push({ kind: 'paused', handler })
    await this.#store.pause(handler)
    this.#later(10_000, () => {
      this.#events.push({ kind: 'resumed', handler })
      void this.#store.resume(handler)
    })
  }

  #setClock(process: VirtualProcess, skew: number): void {
    this.#count(`the clock of ${process.name} is set by ${skew} ms`, 'clock')
    process.skew = skew
  }

  #setConcurrency(
    { process, host, worker }: Running,
    { handler, concurrency }: Extract<Action, { kind: 'set concurrency' }>,
  ): void {
    if (!host.remove(handler)) return
    this.#count(`${process.name} runs ${concurrency} of ${handler} at a time`, 'set concurrency')
    host.add(handler, handler, concurrency)
    process.run(() => worker.handlersChanged())
  }

  #changeHandlers({ process, host, worker }: Running, action: Extract<Action, { kind: 'rename' | 'remove' }>): void {
    const { kind, handler } = action
    if (!host.remove(handler)) return
    this.#count(`${process.name} ${kind}s ${handler}`, `${kind} a handler`)
    const add = (name: string) => {
      if (process.hasEnded) return
      host.add(handler, name)
      process.run(() => worker.handlersChanged())
      this.#say(`${process.name} adds ${name}`)
    }
    if (kind === 'rename') add(renamed(handler))
    else this.#later(action.duration, () => add(handler))
    process.run(() => worker.handlersChanged())
  }

  /** Deletes all deliveries that have ended. */
  #prune(): void {
    const running = this.#running().find(({ process, isClosing }) => !isClosing && process.mayRun)
    if (!running) return
    this.#count('deliveries are pruned', 'prune')
    const { inbox, process } = running
    process.run(() => inbox.prune(this.time.now + 2 * retention).catch(() => undefined))
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

  /** The connection or the thread that sends the heartbeats hangs, and everything else works. */
  #stopHeartbeats(process: VirtualProcess, duration: number): void {
    this.#count(`the heartbeats of ${process.name} hang for ${duration} ms`, 'heartbeats hang')
    process.heartbeatsHang = true
    this.#later(leaseDuration(storeSettings.heartbeat) - storeSettings.heartbeat, () => {
      if (process.heartbeatsHang) this.#events.push({ kind: 'lost touch', process })
    })
    this.#later(duration, () => {
      process.heartbeatsHang = false
    })
  }

  /** Ends a process. Another one starts a second later. */
  #crash(process: VirtualProcess, fault: 'crash' | 'handler ends the process'): void {
    const index = this.#processes.findIndex((running) => running?.process === process)
    this.#count(`${process.name} ends: ${fault}`, fault)
    process.end()
    this.#events.push({ kind: 'crashed', process, byHandler: fault !== 'crash' })
    this.#processes[index] = undefined
    this.#later(1000, () => this.#start(index))
  }

  /** Stops a worker, and ends its process later. Another one starts a second after that, unless the schedule ends. */
  #close(running: Running): void {
    const { process, worker } = running
    if (running.isClosing) return
    running.isClosing = true
    const index = this.#processes.indexOf(running)
    this.#count(`${process.name} closes`, 'close')
    this.#events.push({ kind: 'stops', process })
    const end = () => {
      if (process.hasEnded) return
      process.end()
      this.#processes[index] = undefined
      if (!this.#isEnding) this.#later(1000, () => this.#start(index))
    }
    void process.run(async () => {
      await worker.stop(5000)
      this.#events.push({ kind: 'stopped', process })
      this.#say(`${process.name} has closed`)
      if (this.#isEnding) end()
      else this.#later(this.#random.between(0, longestDelay), end) // until then, it may still get answers
    })
  }
}

const isAnswered = ({ waiting, answers }: Calls): boolean => waiting.length + answers.length === 0

/** Whether no handler runs, no call is unanswered, and no timer is due: the worker would then repeat a call. */
const isIdle = ({ process, host, queues }: Running, now: number): boolean =>
  host.running === 0 && queues.every(isAnswered) && [...process.timers].every(({ at }) => at > now)

/** Calls that are too frequent for the trace. */
const quiet = new Set(['a read', 'claim', 'offer', 'recordMatches', 'readUnmatched', 'load', 'heartbeat', 'addWorker'])

function newDelivery({ delivery, key, size }: Sending, now: number): NewDelivery {
  const repository = { full_name: `repository-${delivery % 3}` }
  const payload = { key, delivery, repository, list: Array(size).fill({ 34: 0 }) }
  return {
    ...{ source: '/hooks', hookId: '1', guid: String(delivery), event: 'push', headers: {}, form: 'json' },
    ...{ body: new TextEncoder().encode(JSON.stringify(payload)), address: undefined, receivedAt: now },
    ...{ secretId: undefined, secretIndex: 0, algorithm: 'sha256' },
  }
}
