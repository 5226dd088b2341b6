import type { Registration } from '../../handler.ts'

/** How many deliveries a handler has under way in one process, unless it says otherwise. */
export const defaultConcurrency = 25

/** How many deliveries each handler may still begin in this process. */
export class Slots {
  readonly #taken = new Map<string, number>()

  free({ name, options }: Registration): number {
    return (options.concurrency ?? defaultConcurrency) - (this.#taken.get(name) ?? 0)
  }

  take(handler: string): void {
    this.#taken.set(handler, (this.#taken.get(handler) ?? 0) + 1)
  }

  release(handler: string): void {
    this.#taken.set(handler, (this.#taken.get(handler) ?? 0) - 1)
  }
}
