import { longestTimer, rest, startTimer } from './timer.ts'

/** What a shutdown can interrupt. */
export interface Interruptible {
  abort(reason: Error): void
}

/** Lets requests in until it is closed, and then tells when the last of them is answered. */
export class Drain {
  /** Deliveries whose handlers run. */
  readonly running: Set<Interruptible> = new Set()
  #inside = 0
  #quiet: PromiseWithResolvers<void> | undefined
  #closing: PromiseWithResolvers<void> | undefined

  /** Counts a request in. @returns `false`, without counting it, during a shutdown. */
  enter(): boolean {
    if (this.#closing) return false
    this.#inside++
    return true
  }

  leave(): void {
    this.#inside--
    if (this.#inside > 0) return
    this.#closing?.resolve()
    this.#quiet?.resolve()
    this.#quiet = undefined
  }

  /** Resolves when nobody is inside, but after `patience` ms at the latest. */
  async quiet(patience: number): Promise<void> {
    if (this.#inside === 0) return
    this.#quiet ??= Promise.withResolvers()
    await rest(patience, this.#quiet.promise)
    await new Promise((resolve) => setTimeout(resolve, 0)) // the last reply is written first
  }

  /** Resolves once nobody is inside. After `grace` ms what still runs is told to stop; its own time limit ends the wait. */
  async close(grace: number): Promise<void> {
    this.#closing ??= Promise.withResolvers()
    if (this.#inside === 0) this.#closing.resolve()
    const stop = startTimer(() => this.#interrupt(), Math.min(grace, longestTimer))
    await this.#closing.promise
    stop()
    await new Promise((resolve) => setTimeout(resolve, 0)) // the last reply is made, and is written in this turn
  }

  #interrupt(): void {
    for (const one of this.running) one.abort(new DOMException('Shutting down', 'AbortError'))
  }
}
