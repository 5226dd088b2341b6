import type { MissedDelivery } from '../../inbox/missed-deliveries.ts'
import { sleep } from '../../runtime/timer.ts'
import type { DeliveryLog } from '../delivery-log.ts'
import type { Lease } from '../lease.ts'
import { recoveredDelivery } from '../recovered-delivery.ts'
import type { RequestError } from '../requester.ts'
import { isRequestDue } from './next-state.ts'
import type { RecoverySettings } from './options.ts'

/** After this many failures in a row the sweep ends, because the cause is not a single delivery. */
const maxFailures = 3

/** The missed deliveries after a sweep requested them, and the last error. */
export interface Fetched {
  missedDeliveries: MissedDelivery[]
  error?: unknown
}

/**
 * Requests the deliveries that are due, oldest first, and records the result of each. One that GitHub fails to send does
 * not hold up the others: a later sweep requests it again.
 */
export async function fetchMissed(
  missedDeliveries: readonly MissedDelivery[],
  settings: RecoverySettings,
  log: DeliveryLog,
  signal: AbortSignal,
  lease: Lease | undefined,
): Promise<Fetched> {
  const results = new Map(missedDeliveries.map((missed) => [missed.guid, missed]))
  const now = Date.now()
  const due = missedDeliveries.filter((missed) => isRequestDue(missed, settings, now)).toSorted(byAge)
  const record = async (missed: MissedDelivery) => {
    results.set(missed.guid, missed)
    await settings.inbox.saveMissedDeliveries([missed])
  }
  let lastError: unknown
  try {
    for (let index = 0, failures = 0; index < due.length && !signal.aborted; index++) {
      const missed = due[index] as MissedDelivery
      if (index > 0 && settings.mode === 'redeliver') await sleep(settings.pace, signal, { keepAlive: true })
      if (lease && !(await lease.isHeld())) throw new Error('Another process has taken over this recovery sweep')
      try {
        await record(await fetchOne(missed, settings, log))
        failures = 0
      } catch (error) {
        if (!concernsOneDelivery(error)) throw error
        lastError = error
        await record({ ...missed, requests: missed.requests + 1, requestedAt: Date.now() })
        if (++failures === maxFailures) break
      }
    }
  } catch (error) {
    lastError = error
  }
  return { missedDeliveries: [...results.values()], error: lastError }
}

async function fetchOne(missed: MissedDelivery, settings: RecoverySettings, log: DeliveryLog): Promise<MissedDelivery> {
  try {
    const state = settings.mode === 'pull' ? await pull(missed, settings, log) : await redeliver(missed, log)
    return { ...missed, state, requests: missed.requests + 1, requestedAt: Date.now() }
  } catch (error) {
    if ((error as RequestError).status !== 404) throw error
    return { ...missed, state: 'expired', status: 'GitHub does not keep it any more' }
  }
}

async function redeliver({ deliveryId }: MissedDelivery, log: DeliveryLog) {
  await log.redeliver(deliveryId)
  return 'requested' as const
}

async function pull(missed: MissedDelivery, { inbox, source }: RecoverySettings, log: DeliveryLog) {
  const sent = await log.read(missed.deliveryId)
  await inbox.store(recoveredDelivery(sent, { ...missed, source }, Date.now()))
  return 'received' as const
}

/** GitHub's times are whole seconds, and its ids grow. */
const byAge = (a: MissedDelivery, b: MissedDelivery): number =>
  a.deliveredAt - b.deliveredAt || a.deliveryId - b.deliveryId

/** Whether GitHub answered, and not with an error that every other request would get: credentials or a rate limit. */
function concernsOneDelivery(error: unknown): boolean {
  const { status, response } = error as RequestError
  return response !== undefined && status !== 401 && status !== 403 && status !== 429
}
