import type { HookError } from '../errors.ts'
import type { HookRequest } from '../http.ts'
import type { Logger } from '../telemetry/logger.ts'

/** Milliseconds between two lines: a flood of refusals must not become a flood of lines. */
const interval = 1000

/** Works out why something was refused; asked only if the answer will be logged. */
export type Explain = () => Promise<string | undefined>

/** Tells the operator what was refused and why, once a second at most. */
export class RefusalLog {
  readonly #logger: Logger
  /** By what happened, so that the one never hides the other: when it was last told, and how often not since. */
  readonly #told = new Map<string, { at: number; unreported: number }>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** A delivery was refused. @returns Why, for the operator alone, if it is told and known. */
  async refused(error: HookError, request: HookRequest, explain?: Explain): Promise<string | undefined> {
    return this.#report('Refused a delivery', error, request, explain)
  }

  /** A delivery was let pass that `validateIp: true` would refuse. */
  tolerated(error: HookError, request: HookRequest): void {
    void this.#report('Let a delivery pass that validateIp: true would refuse', error, request)
  }

  #report(
    what: string,
    error: HookError,
    request: HookRequest,
    explain?: Explain,
  ): Promise<string | undefined> | undefined {
    const now = Date.now()
    const last = this.#told.get(what)
    if (last && now - last.at < interval) {
      last.unreported++
      return undefined
    }
    this.#told.set(what, { at: now, unreported: 0 })
    const work = this.#log(what, error, request, explain, last?.unreported ?? 0)
    request.waitUntil?.(work)
    return work
  }

  async #log(
    what: string,
    error: HookError,
    request: HookRequest,
    explain: Explain | undefined,
    unreported: number,
  ): Promise<string | undefined> {
    const { code, message, cause } = error
    const reason = cause instanceof Error ? cause.message : (cause as string | undefined)
    const why = (await explain?.().catch(() => undefined)) ?? reason
    const guid = request.headers['x-github-delivery']
    const event = request.headers['x-github-event']
    const fields = { code, guid, event, ...(unreported > 0 && { unreported }) }
    this.#logger.warn(fields, `${what}: ${message}${why && why !== message ? ` (${why})` : ''}`)
    return why
  }
}
