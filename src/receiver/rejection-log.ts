import type { HookError } from '../errors.ts'
import { type HookRequest, headerOf } from '../http.ts'
import { causeText } from '../runtime/cause-text.ts'
import { optionOrFlag } from '../runtime/option-or-flag.ts'
import type { Logger } from '../telemetry/logger.ts'

/**
 * Minimum milliseconds between two lines with the same message and code, because a flood of rejections must not become
 * a flood of lines.
 */
const interval = 1000

/** Finds out why a request was rejected. Called only if the rejection is logged. */
export type Explain = () => Promise<string | undefined>

/**
 * Logs rejected requests, and accepted requests that `validateIp: true` would reject. Each line has the reason. There
 * is at most one line a second for each message and code.
 */
export class RejectionLog {
  readonly #logger: Logger
  /** By message and code: when the last line was logged, and how many lines have been left out since then. */
  readonly #last = new Map<string, { at: number; unreported: number }>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /**
   * Logs a rejected request, unless one with the same code was logged less than `interval` ms ago.
   * @returns The reason, which only the operator may see. `undefined` if the request was not logged, or if the reason
   *   is unknown.
   */
  async rejected(error: HookError, request: HookRequest, explain?: Explain): Promise<string | undefined> {
    return this.#report('Rejected a delivery', error, request, explain)
  }

  /** Logs an accepted request that `validateIp: true` would reject. */
  async tolerated(error: HookError, request: HookRequest): Promise<void> {
    const strict = optionOrFlag('validateIp: true', '--validate-ip true')
    await this.#report(`Accepted a delivery that ${strict} would reject`, error, request)
  }

  #report(
    message: string,
    error: HookError,
    request: HookRequest,
    explain?: Explain,
  ): Promise<string | undefined> | undefined {
    const now = Date.now()
    const key = `${message} ${error.code}`
    const last = this.#last.get(key)
    if (last && now - last.at < interval) {
      last.unreported++
      return undefined
    }
    this.#last.set(key, { at: now, unreported: 0 })
    const log = async () => {
      const reason = (await explain?.().catch(() => undefined)) ?? causeText(error)
      const guid = headerOf(request, 'x-github-delivery')
      const event = headerOf(request, 'x-github-event')
      const fields = { code: error.code, guid, event, ...(last?.unreported && { unreported: last.unreported }) }
      const detail = reason && reason !== error.message ? ` (${reason})` : ''
      this.#logger.warn(fields, `${message}: ${error.message}${detail}`)
      return reason
    }
    const work = log()
    request.waitUntil?.(work)
    return work
  }
}
