import type { Failure } from '../options.ts'

interface Planned {
  where: RegExp | undefined
  failure: Failure
}

/** What the next requests get in place of an answer. */
export class Failures {
  readonly #planned: Planned[] = []

  /** @param where What method and path must look like, as in `GET /meta`. */
  plan(failures: readonly Failure[], where?: RegExp): void {
    this.#planned.push(...failures.map((failure) => ({ where, failure })))
  }

  /** The first that is meant for this request; it is used up. */
  next(method: string, path: string): Failure | undefined {
    const index = this.#planned.findIndex(({ where }) => !where || `${method} ${path}`.search(where) >= 0)
    return index < 0 ? undefined : this.#planned.splice(index, 1)[0]?.failure
  }
}
