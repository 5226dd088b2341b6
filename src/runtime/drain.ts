import { type Linked, LinkedList } from './linked-list.ts'
import { maxTimer, startTimer, wait } from './timer.ts'

/** A delivery whose handlers run. */
interface RunningDelivery extends Linked<RunningDelivery> {
  delivery: { abort(reason: Error): void }
}

/**
 * Counts the requests that are being answered. During a shutdown, rejects new requests, and waits for the end of the
 * counted requests.
 */
export class Drain {
  readonly running: LinkedList<RunningDelivery> = new LinkedList()
  #requests = 0
  #closing = false
  #idle: PromiseWithResolvers<void> | undefined

  /** Counts a request. @returns `false`, without counting it, during a shutdown. */
  enter(): boolean {
    if (this.#closing) return false
    this.#requests++
    return true
  }

  leave(): void {
    this.#requests--
    if (this.#requests > 0) return
    this.#idle?.resolve()
    this.#idle = undefined
  }

  /** Resolves when no request is being answered, but after `timeout` ms at the latest. */
  async whenIdle(timeout: number): Promise<void> {
    if (this.#requests === 0) return
    this.#idle ??= Promise.withResolvers()
    await wait(timeout, this.#idle.promise)
    await nextTurn()
  }

  /**
   * Rejects new requests from now on, and resolves when no request is being answered. Aborts the handlers that still
   * run `grace` ms after the call. Requests end at their deadline at the latest.
   */
  async close(grace: number): Promise<void> {
    this.#closing = true
    const stop = startTimer(() => {
      for (const { delivery } of this.running) delivery.abort(new DOMException('Shutting down', 'AbortError'))
    }, grace)
    await this.whenIdle(maxTimer)
    stop()
    await nextTurn()
  }
}

/**
 * Waits for the next turn of the event loop. The last reply is written by then: the adapter writes it after the call of
 * `leave`, but in the same turn.
 */
const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))
