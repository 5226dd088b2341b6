import { randomUUID } from 'node:crypto'
import type { Mountable } from '../adapters/mount.ts'
import { ReceivedDelivery } from '../delivery.ts'
import type { CheckedName } from '../event-names.ts'
import { type AnyEventName, type PayloadOf, splitName } from '../events.ts'
import type { Registration } from '../handler.ts'
import { runAttempt } from '../inbox/worker/attempt.ts'
import { runnerOf } from '../internals.ts'
import { type Json, textIn } from '../runtime/json.ts'
import { sample } from '../samples/index.ts'
import { type PartialPayload, withAction } from '../samples/signed-request.ts'

/** The delivery of a run. */
export interface RunOptions<Name extends string = string> {
  /** The payload instead of a sample. Members may be missing: the `action` is then that of the name. */
  payload?: PartialPayload<PayloadOf<Name>> | undefined
  /** The number of the attempt, from 1. Default: 1. */
  attempt?: number | undefined
  /** Default: a random UUID. */
  guid?: string | undefined
  /** The mount that received the delivery. Default: `/hooks`. */
  source?: string | undefined
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
 * @throws {RangeError} (rejects) if there is no sample of the event, and no `payload`.
 */
export function run<const Name extends AnyEventName>(
  hooks: Mountable,
  name: CheckedName<Name>,
  options?: RunOptions<Name>,
): Promise<HandlerRun[]>
export async function run(
  hooks: Mountable,
  name: string,
  { payload, attempt = 1, guid = randomUUID(), source = '/hooks' }: RunOptions = {},
): Promise<HandlerRun[]> {
  const [event] = splitName(name)
  const data = withAction(name, payload ?? sample(name)) as Json
  const body = new TextEncoder().encode(JSON.stringify(data))
  const { match, sources } = runnerOf(hooks)
  const headers = { 'x-github-event': event, 'x-github-delivery': guid }
  const facts = { guid, event, headers, receivedAt: new Date(), source, attempt, secretId: undefined }
  const runs: HandlerRun[] = []
  for (const registration of match(event, textIn(data, 'action'), source, data)) {
    const own = { ...sources, readBody: async () => body }
    const delivery = new ReceivedDelivery({ ...facts, secretIndex: undefined }, { data, members: data }, own)
    let returned: unknown
    const handler: Registration['handler'] = async (given) => {
      returned = await registration.handler(given)
    }
    const options = { registration: { ...registration, handler }, delivery, attemptsUsed: attempt }
    const { result } = runAttempt({ ...options, now: Date.now, isAborted: () => false })
    const { outcome, thrown: error, nextAt } = await result
    const nextAttemptAt = nextAt === undefined ? undefined : new Date(nextAt)
    runs.push({ handler: registration.name, outcome: outcome as HandlerRun['outcome'], returned, error, nextAttemptAt })
  }
  return runs
}
