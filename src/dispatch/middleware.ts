import type { Delivery } from '../delivery.ts'
import type { Handler } from '../handler.ts'

/**
 * A function around every handler.
 * @param next Calls the next middleware, or the handler. Returns its return value, or its promise.
 * @returns The value that counts as the return value of the handler.
 */
export type Middleware = (delivery: Delivery, next: () => unknown) => unknown

/** The middleware of a `Hooks`, the outermost first. */
export class MiddlewareChain {
  readonly #all: Middleware[] = []

  add(middleware: Middleware): void {
    this.#all.push(middleware)
  }

  /** A handler that calls the middleware, and then `handler`. Middleware that is added later counts too. */
  around(handler: Handler): Handler {
    return (delivery) => (this.#all.length === 0 ? handler(delivery) : this.#call(0, handler, delivery))
  }

  #call(index: number, handler: Handler, delivery: Delivery): unknown {
    const middleware = this.#all[index]
    if (!middleware) return handler(delivery)
    let isCalled = false
    return middleware(delivery, () => {
      if (isCalled) throw new Error('A middleware called next() twice: a handler runs once in an attempt')
      isCalled = true
      return this.#call(index + 1, handler, delivery)
    })
  }
}
