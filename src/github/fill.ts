import type { Gap } from '../inbox/gaps.ts'
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

/**
 * Fetches what may be fetched, the oldest first, and notes of each what was done.
 * @returns The gaps as they stand now.
 * @throws what keeps it from going on. What was asked for until then is noted.
 */
export async function fill(plan: SweepPlan, gaps: readonly Gap[], options: FillOptions): Promise<Gap[]> {
  const filled = new Map(gaps.map((gap) => [gap.guid, gap]))
  const due = gaps.filter((gap) => mayAsk(gap, options, plan.now)).toSorted((a, b) => a.deliveredAt - b.deliveredAt)
  for (const [index, gap] of due.entries()) {
    if (options.signal.aborted) break
    if (index > 0 && options.mode === 'redeliver') await options.pause(options.pace)
    await options.mayGoOn()
    const now = await (options.mode === 'pull' ? pull(plan, gap) : ask(plan, gap))
    filled.set(gap.guid, now)
    await plan.inbox.noteGaps([now])
  }
  return [...filled.values()]
}

export function mayAsk({ state, asked, askedAt = 0 }: Gap, options: FillOptions, now: number): boolean {
  if (asked === 0) return state === 'missed' || (state === 'absent' && options.includeOk)
  if (state === 'asked') return now - askedAt > patience // it may be under way
  return state === 'missed' && now - askedAt >= Math.min(options.every * 2 ** (asked - 1), longestWait)
}

/** What GitHub does not have any more can be had no more. */
async function ask({ log }: SweepPlan, gap: Gap): Promise<Gap> {
  try {
    await log.redeliver(gap.deliveryId)
    return { ...gap, state: 'asked', asked: gap.asked + 1, askedAt: Date.now() }
  } catch (error) {
    return gone(error, gap)
  }
}

async function pull({ log, inbox, source }: SweepPlan, gap: Gap): Promise<Gap> {
  try {
    const sent = await log.read(gap.deliveryId)
    await inbox.store(recoveredParcel(sent, { ...gap, source }, Date.now()))
    return { ...gap, state: 'arrived', asked: gap.asked + 1, askedAt: Date.now() }
  } catch (error) {
    return gone(error, gap)
  }
}

function gone(error: unknown, gap: Gap): Gap {
  if ((error as RequestFailure).status !== 404) throw error
  return { ...gap, state: 'given up', status: 'GitHub does not keep it any more' }
}
