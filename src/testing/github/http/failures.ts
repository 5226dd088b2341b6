import type { Failure } from '../options.ts'

interface Planned {
  where: RegExp | undefined
  failure: Failure
}

/** Failures that the next requests get in place of an answer. */
export class Failures {
  readonly #planned: Planned[] = []

  /** @param where Pattern for the method and path, as in `GET /meta`. */
  plan(failures: readonly Failure[], where?: RegExp): void {
    this.#planned.push(...failures.map((failure) => ({ where, failure })))
  }

  /** Removes and returns the first failure that matches this request. */
  next(method: string, path: string): Failure | undefined {
    const index = this.#planned.findIndex(({ where }) => !where || `${method} ${path}`.search(where) >= 0)
    return index < 0 ? undefined : this.#planned.splice(index, 1)[0]?.failure
  }
}
