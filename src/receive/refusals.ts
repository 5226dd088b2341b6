import { HookError } from '../errors.ts'
import type { HookRequest } from '../http.ts'
import type { Logger } from '../logger.ts'

/** Milliseconds between two refusals in the log: a flood of them must not become a flood of lines. */
const interval = 1000

/** Works out why something was refused; asked only if the answer will be logged. */
export type Explain = () => Promise<string | undefined>

/** Tells the operator what was refused and why, once a second at most. */
export class RefusalLog {
  readonly #logger: Logger
  #lastAt = Number.NEGATIVE_INFINITY
  #unreported = 0

  constructor(logger: Logger) {
    this.#logger = logger
  }

  report(error: unknown, request: HookRequest, explain?: Explain): void {
    const now = Date.now()
    if (now - this.#lastAt < interval) {
      this.#unreported++
      return
    }
    const unreported = this.#unreported
    this.#lastAt = now
    this.#unreported = 0
    const work = this.#log(error, request, explain, unreported)
    request.waitUntil?.(work)
  }

  async #log(
    error: unknown,
    { headers }: HookRequest,
    explain: Explain | undefined,
    unreported: number,
  ): Promise<void> {
    const { code, message, cause } =
      error instanceof HookError ? error : { code: undefined, message: String(error), cause: error }
    const why = (await explain?.().catch(() => undefined)) ?? (cause instanceof Error ? cause.message : cause)
    const fields = {
      code,
      guid: headers['x-github-delivery'],
      event: headers['x-github-event'],
      ...(unreported > 0 && { unreported }),
    }
    this.#logger.warn(fields, `Refused a delivery: ${message}${why ? ` (${why})` : ''}`)
  }
}
