import type { WithCapabilities } from '../../inbox/capabilities.ts'
import type { BasicStore } from '../../inbox/inbox.ts'
import { type Check, checkOptions, fail, isListOf, must } from '../../runtime/check-options.ts'
import { maxTimer } from '../../runtime/timer.ts'
import { ageCheck, type Duration, durationCheck } from '../../runtime/units.ts'
import type { FullLogger } from '../../telemetry/logger.ts'
import type { Requester, RetryPolicy } from '../requester.ts'
import { parseTarget, type Target } from '../target.ts'

/** Which deliveries are recovered, and how. Requests to GitHub use the option `app` or `token` of the `Hooks`. */
export interface RecoverOptions {
  /**
   * The webhooks. `acme/shop#7` and `acme#7`: the webhook with the id 7. `acme/shop` and `acme`: all webhooks that
   * deliver to `publicUrl`. `app`: the webhook of the App.
   */
  targets: string | readonly string[]
  /** The URL that GitHub delivers to. It selects the webhooks of targets without an id. */
  publicUrl?: string | undefined
  /**
   * `'redeliver'`: GitHub sends the delivery again, signed, to the URL of the webhook. `'pull'`: hookserver reads
   * the payload from GitHub's API, and trusts the connection and the token. Default: `'redeliver'`.
   */
  mode?: 'redeliver' | 'pull' | undefined
  /**
   * The events to recover: `push`, `issues.opened`, `*`. Default: the events that have a handler. With the option
   * `withoutHandlers: 'ignore'` of the `Hooks`, the default is all events.
   */
  events?: readonly string[] | undefined
  /** Whether to recover deliveries that GitHub shows as delivered, but the inbox does not have. Default: `false`. */
  includeOk?: boolean | undefined
  /** The maximum time to look back. Default: as long as GitHub keeps deliveries. */
  lookback?: Duration | undefined
  /** The time between two requests for a redelivery. Default: 1 s, as GitHub asks. */
  pace?: Duration | undefined
  /** The inbox that receives the deliveries. Default: that of the `Hooks`. */
  inbox?: BasicStore | undefined
  /**
   * The name of the mount that receives the deliveries: `delivery.source`. Recovery in mode `pull` stores deliveries
   * with this source. Default: the option `source` of the `Hooks`. If the `Hooks` has no `source`, the default is its
   * option `path`.
   */
  source?: string | undefined
}

/** How one sweep runs. */
export interface SweepOptions {
  /** Whether the sweep only reports the missed deliveries, and neither requests nor records them. Default: `false`. */
  dryRun?: boolean | undefined
  /**
   * Whether the sweep reads GitHub's log as far back as `lookback` and the age of the inbox allow, instead of only the
   * part since the previous sweep. A thorough sweep also does not wait before it requests a delivery whose earlier
   * redelivery failed. Use it after you have repaired the cause of failures. Default: `false`.
   */
  thorough?: boolean | undefined
}

/** The options of `recover()`. */
export interface RecoverOnceOptions extends RecoverOptions, SweepOptions {
  /** Ends the sweep early. */
  signal?: AbortSignal | undefined
}

/** The options of `startRecovery()`. */
export interface StartRecoveryOptions extends RecoverOptions {
  /**
   * The time from the end of a sweep to the start of the next. A delivery whose redelivery failed waits for at
   * least this time until the next request. After each further failure, the wait is twice as long, up to 6 h. Default:
   * 5 minutes.
   */
  every?: Duration | undefined
}

/** The capabilities of an inbox that recovery and polling need. */
export const recoveryCapabilities = ['DeliveryStore', 'MissedDeliveryStore', 'NamedLeases', 'KeyValues'] as const
export type RecoveryStore = WithCapabilities<(typeof recoveryCapabilities)[number]>

/** The options of a recovery with every default filled in, and its dependencies. */
export interface RecoverySettings extends Pick<RecoverOptions, 'publicUrl'> {
  /** Milliseconds. */
  lookback?: number | undefined
  inbox: RecoveryStore
  source: string
  logger: FullLogger
  targets: readonly Target[]
  mode: 'redeliver' | 'pull'
  includeOk: boolean
  /** Milliseconds from the end of a sweep to the start of the next. */
  every: number
  /** Milliseconds to wait between two requests for a redelivery. */
  pace: number
  /** Milliseconds for which GitHub keeps deliveries. */
  retention: number
  /** A requester that may read the delivery logs of a target. */
  connect(target: Target): Promise<Requester>
  isHandled(event: string, action: string | undefined): boolean
  leaseTtl?: number
  /** The maximum number of deliveries of one webhook that a sweep compares. Default: 20,000. */
  maxCompared?: number
  retryPolicy?: RetryPolicy
}

/** @throws {TypeError} naming option and value. */
export function checkRecoverOptions(given: RecoverOnceOptions & StartRecoveryOptions): void {
  checkOptions(given, checks)
}

/** The option `targets`. @throws {TypeError} */
export function parseTargets(given: string | readonly string[]): Target[] {
  const targets = [given].flat().map((one) => (typeof one === 'string' ? parseTarget(one) : undefined))
  if (targets.length > 0 && targets.every((target) => target !== undefined)) return targets
  return fail('Option "targets"', "'acme/shop', 'acme/shop#7', 'acme', 'acme#7', 'app', or a list of these", given)
}

const isEventName = (value: unknown): value is string =>
  typeof value === 'string' && /^(\*|[\w-]+(\.[\w-]+)?)$/.test(value)
const isHttpUrl = (value: unknown): boolean => /^https?:$/.test(URL.parse(String(value))?.protocol ?? '')
const flag = must((value) => typeof value === 'boolean', 'true or false')
const checkedElsewhere: Check = () => {}

const checks: Record<keyof (RecoverOnceOptions & StartRecoveryOptions), Check> = {
  targets: checkedElsewhere,
  publicUrl: must(isHttpUrl, 'an address that begins with http:// or https://'),
  mode: must((value) => value === 'redeliver' || value === 'pull', "'redeliver' or 'pull'"),
  events: must((value) => isListOf(value, isEventName), "a list of events, such as ['push', 'issues.opened']"),
  includeOk: flag,
  lookback: ageCheck('d'),
  pace: durationCheck({ min: 0, max: maxTimer }),
  every: durationCheck({ min: 0, max: maxTimer, meant: 'm' }),
  inbox: checkedElsewhere,
  source: checkedElsewhere,
  dryRun: flag,
  thorough: flag,
  signal: must((value) => value instanceof AbortSignal, 'an AbortSignal'),
}
