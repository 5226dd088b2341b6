/**
 * Simulated processes with simulated clocks, in one thread. While `VirtualTime` is installed, the timers and clocks that
 * code of a simulated process uses are those of its process. Everything else keeps the real ones.
 */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import os from 'node:os'
import type { Random } from './random.ts'

const current = new AsyncLocalStorage<VirtualProcess>()
const real = {
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
  setImmediate,
  now: Date.now,
  monotonic: performance.now,
  random: Math.random,
  uptime: os.uptime,
}

export class VirtualTimer {
  at: number
  isActive = true
  readonly work: () => void
  readonly #process: VirtualProcess
  readonly #ms: number
  readonly repeats: boolean

  constructor(process: VirtualProcess, work: () => void, ms: number, repeats: boolean) {
    this.work = work
    this.#process = process
    this.#ms = ms
    this.repeats = repeats
    this.at = process.time.now + ms
    process.timers.add(this)
  }

  fire(): void {
    if (this.repeats) this.refresh()
    else this.cancel()
    if (!this.repeats || !this.#process.heartbeatsHang) this.#process.run(this.work)
  }

  cancel(): void {
    this.#process.timers.delete(this)
  }

  refresh(): this {
    this.at = this.#process.time.now + this.#ms
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }
}

/** A process whose timers and clocks are simulated. */
export class VirtualProcess {
  readonly name: string
  readonly time: VirtualTime
  readonly timers: Set<VirtualTimer> = new Set()
  /** Milliseconds by which its wall clock differs from the time of the simulation. */
  skew = 0
  /** Milliseconds for which its machine slept: its monotonic clock was suspended. */
  slept = 0
  isSuspended = false
  /** Whether the threads of the store that send heartbeats do nothing, although the rest of the process runs. */
  heartbeatsHang = false
  hasEnded = false

  /** Running code in it takes an eighth of the time of `AsyncLocalStorage.run`. */
  readonly #scope: AsyncResource

  constructor(name: string, time: VirtualTime) {
    this.name = name
    this.time = time
    this.#scope = current.run(this, () => new AsyncResource('VirtualProcess'))
  }

  get mayRun(): boolean {
    return !this.isSuspended && !this.hasEnded
  }

  readonly run = <T>(work: () => T): T => this.#scope.runInAsyncScope(work)

  /**
   * Its code runs again after a suspension. The intervals fire at once, because they belong to threads of the store that
   * do nothing else: heartbeats.
   */
  resume(): void {
    this.isSuspended = false
    for (const timer of this.timers) if (timer.repeats && timer.at <= this.time.now) timer.fire()
  }

  /** Its code never runs again. */
  end(): void {
    this.hasEnded = true
    this.timers.clear()
  }
}

/** The process whose code runs. */
export const currentProcess = (): VirtualProcess | undefined => current.getStore()

/** Timers that repeat more often than this would only slow the simulation down: checkpoints of the log. */
const minInterval = 5000

export class VirtualTime {
  /** Milliseconds since 1970. It passes only if `advance` is called. */
  now = 1_800_000_000_000

  /** Replaces the clocks, the timers and the random numbers. @returns a function that puts the real ones back. */
  install(random: Random): () => void {
    const add = (work: (...args: unknown[]) => void, ms: number, args: unknown[], repeats: boolean) => {
      const process = current.getStore()
      return process && new VirtualTimer(process, () => work(...args), Math.max(0, ms), repeats)
    }
    const clear = (timer: unknown) =>
      timer instanceof VirtualTimer ? timer.cancel() : real.clearTimeout(timer as number)
    Object.assign(globalThis, {
      setTimeout: (work: () => void, ms = 0, ...args: []) =>
        add(work, ms, args, false) ?? real.setTimeout(work, ms, ...args),
      setInterval: (work: () => void, ms = 0, ...args: []) => {
        return add(work, Math.max(ms, minInterval), args, true) ?? real.setInterval(work, ms, ...args)
      },
      clearTimeout: clear,
      clearInterval: clear,
    })
    Date.now = () => {
      const process = current.getStore()
      return process ? this.now + process.skew : real.now()
    }
    performance.now = () => {
      const process = current.getStore()
      return process ? this.now - process.slept : real.monotonic.call(performance)
    }
    os.uptime = () => (current.getStore() ? this.now / 1000 : real.uptime())
    Math.random = () => (current.getStore() ? random.next() : real.random())
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0 // the worker records the stack of each error, which takes time
    return () => {
      Error.stackTraceLimit = stackTraceLimit
      const { setTimeout, clearTimeout, setInterval, clearInterval } = real
      Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval })
      Date.now = real.now
      performance.now = real.monotonic
      Math.random = real.random
      os.uptime = real.uptime
    }
  }
}

const nextTick = (resolve: () => void): void => process.nextTick(resolve)

/**
 * Resolves when no code can run before the simulation takes its next step: Node.js runs the callbacks of `nextTick` when
 * no promise has a callback left. This takes a tenth of the time of `setImmediate`.
 */
export const settled = (): Promise<void> => new Promise(nextTick)
