import type { ClaimedTask, Match, MatchResult, StoredDelivery, TaskQueue } from '../../inbox/inbox.ts'
import { start } from './deliveries.ts'

/** The deliveries that the store offers for matching, oldest first. They stay unmatched. */
export async function unmatched(inbox: TaskQueue, limit = 10, bytes = 1e6): Promise<StoredDelivery[]> {
  let offered: readonly StoredDelivery[] = []
  await inbox.match(0, { limit, bytes, ordered: false, now: start }, (all) => {
    offered = all
    return []
  })
  return [...offered]
}

/** Matches deliveries as planned. Skips those that the store does not offer. @returns the claimed tasks. */
export async function recordMatches(
  inbox: TaskQueue,
  worker: number,
  plans: readonly Match[],
  now: number,
): Promise<ClaimedTask[]> {
  return (await matchAsPlanned(inbox, worker, plans, now)).claimed
}

/** As `recordMatches`. @returns the result of the match. */
export function matchAsPlanned(
  inbox: TaskQueue,
  worker: number,
  plans: readonly Match[],
  now: number,
): Promise<MatchResult> {
  const byId = new Map(plans.map((plan) => [plan.id, plan]))
  const ordered = plans.some(({ tasks }) => tasks.some(({ key }) => key !== undefined))
  return inbox.match(worker, { limit: 10_000, bytes: 1e9, ordered, now }, (offered) => {
    return offered.flatMap(({ id }) => byId.get(id) ?? [])
  })
}
