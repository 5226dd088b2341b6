import type { MissedDelivery } from '../inbox/missed-deliveries.ts'
import { recoveredParcel } from './recovered-parcel.ts'
import type { Pause, RequestFailure } from './requester.ts'
import type { SweepPlan } from './sweep.ts'

/** How what was missed is fetched. */
export interface FillOptions {
  /** `redeliver`: GitHub sends it again, signed. `pull`: its payload is read from GitHub's API. */
  mode: 'redeliver' | 'pull'
  /** Whether what GitHub's log shows as delivered, and is not here, is fetched, too. */
  includeOk: boolean
  /** Milliseconds between two sweeps: what failed again is asked for after one, then after two, four, … */
  every: number
  /** Milliseconds between two redeliveries. */
  pace: number
  pause: Pause
  signal: AbortSignal
  /** Called before each. @throws if this process may not go on. */
  mayGoOn(): Promise<void>
}

/** The longest wait until a delivery is asked for again that has failed again, and for one that nothing was heard of. */
const [longestWait, patience] = [6 * 3_600_000, 3_600_000]

/** So many failures one after the other are no matter of single deliveries. */
const mostFailures = 3

/** How gaps stand after a sweep, and what kept it from fetching one of them or from going on. */
export interface Filled {
  gaps: MissedDelivery[]
  error?: unknown
}

/**
 * Fetches what may be fetched, the oldest first, and notes of each what was done. One that GitHub fails at holds up none
 * of the others: it is asked for again after a wait, as one that came and failed again.
 */
export async function fill(plan: SweepPlan, gaps: readonly MissedDelivery[], options: FillOptions): Promise<Filled> {
  const filled = new Map(gaps.map((gap) => [gap.guid, gap]))
  const due = gaps.filter((gap) => mayAsk(gap, options, plan.now)).toSorted(byAge)
  const note = async (gap: MissedDelivery) => {
    filled.set(gap.guid, gap)
    await plan.inbox.saveMissedDeliveries([gap])
  }
  const errors: unknown[] = []
  try {
    for (let index = 0, failures = 0; index < due.length && !options.signal.aborted; index++) {
      const gap = due[index] as MissedDelivery
      if (index > 0 && options.mode === 'redeliver') await options.pause(options.pace)
      await options.mayGoOn()
      try {
        await note(await (options.mode === 'pull' ? pull(plan, gap) : request(plan, gap)))
        failures = 0
      } catch (error) {
        if (!isOfOne(error)) throw error
        errors.push(error)
        await note({ ...gap, requests: gap.requests + 1, requestedAt: Date.now() })
        if (++failures === mostFailures) break
      }
    }
  } catch (error) {
    errors.push(error)
  }
  return { gaps: [...filled.values()], error: errors.at(-1) }
}

export function mayAsk(
  { state, requests, requestedAt = 0 }: MissedDelivery,
  options: FillOptions,
  now: number,
): boolean {
  if (state === 'requested') return now - requestedAt > patience // it may be under way
  const wanted = state === 'missed' || (state === 'unrecorded' && options.includeOk)
  return wanted && (requests === 0 || now - requestedAt >= Math.min(options.every * 2 ** (requests - 1), longestWait))
}

/** GitHub's times are whole seconds, and its numbers grow. */
const byAge = (a: MissedDelivery, b: MissedDelivery): number =>
  a.deliveredAt - b.deliveredAt || a.deliveryId - b.deliveryId

/** Whether GitHub answered, and did not say that nobody may ask, or not now: another delivery may fare better. */
function isOfOne(error: unknown): boolean {
  const { status, response } = error as RequestFailure
  return response !== undefined && status !== 401 && status !== 403 && status !== 429
}

/** What GitHub does not have any more can be had no more. */
async function request({ log }: SweepPlan, gap: MissedDelivery): Promise<MissedDelivery> {
  try {
    await log.redeliver(gap.deliveryId)
    return { ...gap, state: 'requested', requests: gap.requests + 1, requestedAt: Date.now() }
  } catch (error) {
    return gone(error, gap)
  }
}

async function pull({ log, inbox, source }: SweepPlan, gap: MissedDelivery): Promise<MissedDelivery> {
  try {
    const sent = await log.read(gap.deliveryId)
    await inbox.store(recoveredParcel(sent, { ...gap, source }, Date.now()))
    return { ...gap, state: 'received', requests: gap.requests + 1, requestedAt: Date.now() }
  } catch (error) {
    return gone(error, gap)
  }
}

function gone(error: unknown, gap: MissedDelivery): MissedDelivery {
  if ((error as RequestFailure).status !== 404) throw error
  return { ...gap, state: 'expired', status: 'GitHub does not keep it any more' }
}
