import { HookError } from './errors.ts'
import { startTimer } from './timer.ts'

/** What a shutdown can interrupt. */
export interface Interruptible {
  abort(reason: Error): void
}

/** Lets requests in until it is closed, and then tells when the last of them is answered. */
export class Drain {
  /** Deliveries whose handlers run. */
  readonly running: Set<Interruptible> = new Set()
  #inside = 0
  #closing: PromiseWithResolvers<void> | undefined

  /** @throws {HookError} `shutting_down` */
  enter(): void {
    if (this.#closing) throw new HookError('shutting_down')
    this.#inside++
  }

  leave(): void {
    this.#inside--
    if (this.#inside === 0) this.#closing?.resolve()
  }

  /** Resolves once nobody is inside. After `grace` ms what still runs is told to stop; its own time limit ends the wait. */
  async close(grace: number): Promise<void> {
    this.#closing ??= Promise.withResolvers()
    if (this.#inside === 0) this.#closing.resolve()
    const stop = startTimer(() => this.#interrupt(), grace)
    await this.#closing.promise
    stop()
  }

  #interrupt(): void {
    for (const one of this.running) one.abort(new DOMException('Shutting down', 'AbortError'))
  }
}
