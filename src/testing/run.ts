import { randomUUID } from 'node:crypto'
import type { Mountable } from '../adapters/mount.ts'
import type { CheckedName } from '../checked-names.ts'
import { ReceivedDelivery } from '../delivery.ts'
import { type AnyEventName, type PayloadOf, splitName } from '../events.ts'
import type { Registration } from '../handler.ts'
import { runAttempt } from '../inbox/worker/attempt.ts'
import { runnerOf } from '../internals.ts'
import type { HooksOptions } from '../options.ts'
import { checkOptions, isString, must } from '../runtime/check-options.ts'
import { isObject, type Json, textIn } from '../runtime/json.ts'
import { sample } from '../samples/index.ts'
import { type PartialPayload, warnIfUnknown, withAction } from '../samples/signed-request.ts'
import { scheduleEvent } from '../schedules/schedule.ts'
import { rules } from '../settings.ts'

/** The delivery of a run, and options that override those of the `Hooks` for `delivery.octokit()`. */
export interface RunOptions<Name extends string = string> extends Pick<HooksOptions, 'apiUrl' | 'app' | 'token'> {
  /**
   * The payload instead of a sample. Members may be missing: the `action` is then that of the name. Default for a
   * schedule: only its `time`, which is now.
   */
  payload?: PartialPayload<PayloadOf<Name>> | undefined
  /** The number of the attempt, from 1. Default: 1. */
  attempt?: number | undefined
  /** Default: a random UUID. */
  guid?: string | undefined
  /** The mount that received the delivery. Default: `/hooks`, or `schedule` for the event `schedule`. */
  source?: string | undefined
}

const checks = {
  payload: must(isObject, 'an object'),
  attempt: must((value) => Number.isSafeInteger(value) && (value as number) > 0, 'a positive integer'),
  guid: must(isString, 'a string'),
  source: must(isString, 'a string'),
  apiUrl: rules.apiUrl,
  app: rules.app,
  token: rules.token,
}

/** The outcome of a handler in a run. */
export interface HandlerRun {
  /** The name of the handler. */
  handler: string
  /**
   * `failed`: an inbox would call the handler again, at `nextAttemptAt`. `dead`: it would not, because this was the last
   * attempt, or because of an `Unrecoverable`. `discarded`: the handler threw a `Discard`.
   */
  outcome: 'succeeded' | 'failed' | 'dead' | 'discarded'
  /** The return value, awaited. */
  returned: unknown
  /** The value that the handler threw. */
  error: unknown
  /** When an inbox would call the handler again, if the outcome is `failed`. */
  nextAttemptAt: Date | undefined
}

/**
 * Calls the handlers that match a delivery, as an inbox does: each on its own, with its `timeout`. Stores nothing, and
 * sends no request.
 *
 * ```ts
 * const [deploy] = await run(hooks, 'push', { attempt: 3 })
 * assert.equal(deploy?.outcome, 'failed')
 * ```
 * @returns the outcome of each handler, the most specific first.
 * @throws {RangeError} (rejects) if there is no sample of the event, and no `payload`. @throws {TypeError} (rejects) for
 *   an unknown option.
 */
export function run<const Name extends AnyEventName>(
  hooks: Mountable,
  name: CheckedName<Name>,
  options?: RunOptions<Name>,
): Promise<HandlerRun[]>
export async function run(hooks: Mountable, name: string, options: RunOptions = {}): Promise<HandlerRun[]> {
  checkOptions(options, checks, { prefix: 'run()' })
  const [event] = splitName(name)
  const isScheduled = event === scheduleEvent
  const { payload, attempt = 1, guid = randomUUID(), source = isScheduled ? scheduleEvent : '/hooks', ...own } = options
  const given = payload ?? (isScheduled ? { time: new Date().toISOString() } : sample(name))
  warnIfUnknown(name)
  const data = withAction(name, given) as Json
  const body = new TextEncoder().encode(JSON.stringify(data))
  const runner = runnerOf(hooks)
  const sources = { ...runner.sources(own), readBody: async () => body }
  const headers = { 'x-github-event': event, 'x-github-delivery': guid }
  const facts = { guid, event, headers, receivedAt: new Date(), source, attempt, secretId: undefined }
  const runs: HandlerRun[] = []
  for (const registration of runner.match(event, textIn(data, 'action'), source, data)) {
    const delivery = new ReceivedDelivery({ ...facts, secretIndex: undefined }, { data, members: data }, sources)
    let returned: unknown
    const handler: Registration['handler'] = async (given) => {
      returned = await registration.handler(given)
    }
    const run = { registration: { ...registration, handler }, delivery, attemptsUsed: attempt }
    const { result } = runAttempt({ ...run, now: Date.now, isAborted: () => false })
    const { outcome, thrown: error, nextAt } = await result
    const nextAttemptAt = nextAt === undefined ? undefined : new Date(nextAt)
    runs.push({ handler: registration.name, outcome: outcome as HandlerRun['outcome'], returned, error, nextAttemptAt })
  }
  return runs
}
