import type { Inbox } from '../inbox/inbox.ts'
import { type Check, fail, isListOf, isWhole, must } from '../runtime/check-options.ts'
import { maxTimer } from '../runtime/timer.ts'
import type { RecoveryWishes } from './make-recovery.ts'
import type { SweepOptions } from './sweeper.ts'
import { parseTarget, type Target } from './target.ts'

/** What is fetched, and how. Whoever asks GitHub for it is the option `app`, or `token`, of the `Hooks`. */
export interface RecoverOptions {
  /**
   * Whose deliveries: `acme/shop` or `acme`, of whose webhooks those that deliver to `url`; `acme/shop#7` or `acme#7`,
   * the webhook with that id; `app`, that of the App itself.
   */
  targets: string | readonly string[]
  /** The address that GitHub delivers to, by which webhooks are found that are named without their id. */
  url?: string | undefined
  /**
   * `'redeliver'`: GitHub sends it again, signed, to where it always does. `'pull'`: its payload is read from GitHub's
   * API, and what is trusted is the connection and the token. Default: `'redeliver'`.
   */
  mode?: 'redeliver' | 'pull' | undefined
  /** The events that count: `push`, `issues.opened`, `*`. Default: those that somebody handles. */
  events?: readonly string[] | undefined
  /** Whether that is fetched, too, which GitHub's log shows as delivered, and is not here. Default: `false`. */
  includeOk?: boolean | undefined
  /** Milliseconds that are looked back at most. Default: as long as GitHub keeps deliveries. */
  lookback?: number | undefined
  /** Milliseconds between two redeliveries. Default: 1000, as github.com wants it. */
  pace?: number | undefined
  /** Where deliveries are. Default: the option of the `Hooks`. */
  inbox?: Inbox | undefined
  /** The name of what comes in, as at the mount. Default: that of the `Hooks`, else its `url`. */
  source?: string | undefined
}

/** Of one sweep. */
export interface RecoverOnceOptions extends RecoverOptions, SweepOptions {
  /** Ends it where it is. */
  signal?: AbortSignal | undefined
}

/** Of sweeps that follow each other. */
export interface StartRecoveryOptions extends RecoverOptions {
  /** Milliseconds between two of them; what failed again is asked for after one, two, four, … Default: 5 minutes. */
  every?: number | undefined
}

/** @throws {TypeError} naming option and value. */
export function readRecoverOptions(given: RecoverOnceOptions & StartRecoveryOptions): RecoveryWishes {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(checks, name)) throw new TypeError(`Unknown option "${name}"`)
    if (value !== undefined) checks[name as keyof typeof checks](value, `Option "${name}"`)
  }
  const { targets, url, events, lookback, mode, includeOk, pace, every } = given
  return {
    ...{ targets: readTargets(targets), url, events, lookback },
    ...{ mode: mode ?? 'redeliver', includeOk: includeOk ?? false, pace: pace ?? 1000, every: every ?? 300_000 },
  }
}

function readTargets(given: string | readonly string[]): Target[] {
  const targets = [given].flat().map((one) => (typeof one === 'string' ? parseTarget(one) : undefined))
  if (targets.length > 0 && targets.every((target) => target !== undefined)) return targets
  return fail('Option "targets"', "'acme/shop', 'acme/shop#7', 'acme', 'acme#7', 'app', or a list of these", given)
}

const isName = (value: unknown): value is string => typeof value === 'string' && /^(\*|[\w-]+(\.[\w-]+)?)$/.test(value)
const aFlag = must((value) => typeof value === 'boolean', 'true or false')
const aWait = must((value) => isWhole(value, 0, maxTimer), `a whole number of milliseconds, ${maxTimer} at most`)
const isHttp = (value: unknown): boolean => /^https?:$/.test(URL.parse(String(value))?.protocol ?? '')
const checkedLater: Check = () => {}

const checks: Record<keyof (RecoverOnceOptions & StartRecoveryOptions), Check> = {
  targets: checkedLater,
  url: must(isHttp, 'an address that begins with http:// or https://'),
  mode: must((value) => value === 'redeliver' || value === 'pull', "'redeliver' or 'pull'"),
  events: must((value) => isListOf(value, isName), "a list of events, such as ['push', 'issues.opened']"),
  includeOk: aFlag,
  lookback: must((value) => isWhole(value, 1), 'a whole number of milliseconds'),
  pace: aWait,
  every: aWait,
  inbox: checkedLater,
  source: checkedLater,
  dryRun: aFlag,
  thorough: aFlag,
  signal: must((value) => value instanceof AbortSignal, 'an AbortSignal'),
}
