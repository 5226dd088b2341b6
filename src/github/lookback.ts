/**
 * How far recovery and polling look back. An inbox begins when it is created, and earlier deliveries do not count as missed.
 * An inbox that imported the deliveries of another one looks back further.
 */
import type { KeyValues, MissedDeliveryStore } from '../inbox/inbox.ts'

/** In milliseconds since 1970, by the local clock. */
export interface LookbackLimits {
  recoverSince: number
  /** Polling would store the redeliveries that an inbox has polled again, so it looks back less than recovery. */
  pollSince: number
}

/** The key under which an inbox keeps the limits that `continueInbox` sets. */
const limitsKey = 'lookback limits of the inbox that this one continues'

/** The creation of the inbox, or the earlier limits of the inbox that it continues. */
export async function lookbackLimits(inbox: MissedDeliveryStore & KeyValues): Promise<LookbackLimits> {
  const [createdAt, stored] = await Promise.all([inbox.createdAt(), inbox.getValue(limitsKey)])
  const own = { recoverSince: createdAt, pollSince: createdAt }
  return stored === undefined ? own : earliestOf(own, JSON.parse(stored))
}

/** Records that the inbox has the deliveries of another inbox, and so looks back as far as that one. */
export async function continueInbox(inbox: MissedDeliveryStore & KeyValues, other: LookbackLimits): Promise<void> {
  await inbox.setValue(limitsKey, JSON.stringify(earliestOf(await lookbackLimits(inbox), other)))
}

const earliestOf = (a: LookbackLimits, b: LookbackLimits): LookbackLimits => ({
  recoverSince: Math.min(a.recoverSince, b.recoverSince),
  pollSince: Math.min(a.pollSince, b.pollSince),
})

const createdAtKey = "time of creation by GitHub's clock"

/**
 * How far recovery and polling look back, by GitHub's clock. They skip deliveries that GitHub sent earlier. The difference
 * between the clocks is that of the first call, whose result the inbox keeps unless `dryRun` is set: the local clock may
 * have been wrong when it dated the inbox, and may be corrected later.
 * @param now GitHub's time.
 */
export async function lookbackByGitHub(
  inbox: MissedDeliveryStore & KeyValues,
  now: number,
  { dryRun = false }: { dryRun?: boolean } = {},
): Promise<LookbackLimits> {
  const localCreatedAt = await inbox.createdAt()
  const age = Math.max(0, Date.now() - localCreatedAt)
  const stored = await inbox.getValue(createdAtKey)
  // GitHub's time is known to a second.
  const createdAt = stored === undefined ? Math.floor((now - age) / 1000 - 1) * 1000 : Number(stored)
  if (stored === undefined && !dryRun) await inbox.setValue(createdAtKey, String(createdAt))
  const { recoverSince, pollSince } = await lookbackLimits(inbox)
  const difference = createdAt - localCreatedAt
  return { recoverSince: recoverSince + difference, pollSince: pollSince + difference }
}
