/** Errors that a handler throws to decide the outcome of a delivery. They may come from another copy of the package. */

import { type Duration, parseDuration } from './runtime/units.ts'

/**
 * Thrown by a handler that needs the delivery again. With an inbox, the attempt has failed, and `after` sets the delay of
 * the next one. Without an inbox, the reply is 503 with `Retry-After`.
 */
export class Retry extends Error {
  /** Distinguishes the error, also if another copy of the package has created it. */
  override readonly name = 'Retry'
  /** Milliseconds until the next attempt. If `undefined`, the handler's `backoff` decides. */
  readonly after: number | undefined

  /**
   * @param options `after`: the time until the next attempt. A small number is no mistake, because handlers calculate
   *   it from the time at which a limit of another service ends. `cause`: the error that made the retry necessary.
   */
  constructor({
    after,
    message,
    cause,
  }: { after?: Duration | undefined; message?: string | undefined; cause?: unknown } = {}) {
    super(message ?? 'The handler asked for a retry', { cause })
    this.after = typeof after === 'string' ? parseDuration(after) : after
    if (after !== undefined && !isDelay(this.after)) {
      throw new TypeError(
        `Retry: "after" must be a number of milliseconds, or a text such as '30s', got ${String(after)}`,
      )
    }
  }
}

/**
 * Thrown by a handler that does not want a delivery. This is not a failure. With an inbox, the task ends without another
 * attempt. Without an inbox, the handler counts as one that returned nothing.
 */
export class Discard extends Error {
  /** Distinguishes the error, also if another copy of the package has created it. */
  override readonly name = 'Discard'

  /** @param reason Shown with the delivery. */
  constructor(reason = 'Discarded by its handler') {
    super(reason)
  }
}

/**
 * Thrown by a handler whose failure no retry can repair. With an inbox, the task is dead at once, whatever the option
 * `attempts` is, and `onDead` is called. Without an inbox, the handler has failed.
 */
export class Unrecoverable extends Error {
  /** Distinguishes the error, also if another copy of the package has created it. */
  override readonly name = 'Unrecoverable'
}

/** A delay in milliseconds. */
export const isDelay = (value: unknown): value is number => Number.isFinite(value) && (value as number) >= 0

const nameOf = (thrown: unknown): unknown => (thrown as Partial<Error> | null | undefined)?.name

export const isRetry = (thrown: unknown): thrown is Retry => nameOf(thrown) === 'Retry'
export const isDiscard = (thrown: unknown): thrown is Discard => nameOf(thrown) === 'Discard'
export const isUnrecoverable = (thrown: unknown): boolean => nameOf(thrown) === 'Unrecoverable'
