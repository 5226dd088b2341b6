import { HookError } from './errors.ts'

/** Lets requests in until it is closed, and then tells when the last of them is answered. */
export class Drain {
  #active = 0
  #closing: PromiseWithResolvers<void> | undefined

  /** @throws {HookError} `shutting_down` */
  enter(): void {
    if (this.#closing) throw new HookError('shutting_down')
    this.#active++
  }

  leave(): void {
    this.#active--
    if (this.#active === 0) this.#closing?.resolve()
  }

  /** Resolves once nobody is inside; each request's own time limit bounds the wait. */
  close(): Promise<void> {
    this.#closing ??= Promise.withResolvers()
    if (this.#active === 0) this.#closing.resolve()
    return this.#closing.promise
  }
}
