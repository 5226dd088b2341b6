/** The functions that recovery and polling share. */
import type { MissedDeliveryStore, NewDelivery } from '../inbox/inbox.ts'
import type { GuidLookup, MissedDelivery } from '../inbox/missed-deliveries.ts'
import { toNewDelivery } from '../inbox/store-delivery.ts'
import { isId } from '../runtime/json.ts'
import { AnswerError } from './answer.ts'
import { type DeliveryLog, isGuid, type LoggedAttempt, type SentRequest, unknownEvent } from './delivery-log.ts'
import { concernsOneEntity } from './requester.ts'

/**
 * A delivery that was read from GitHub's API, to be stored. Its bytes are not those that GitHub signed, so there is no
 * signature to check: hookserver trusts the connection to the API and the token.
 * @param parts The source, hook id, GUID and event of the delivery. If GitHub's entry lacks the header of the hook id,
 * the GUID or the event, the stored header has the value from `parts`. If the log lists no GUID or no event, that of the
 * header counts.
 * @throws {AnswerError} if GitHub shows no GUID.
 */
export function pulledDelivery(
  { headers: sent, payload }: SentRequest,
  parts: Pick<NewDelivery, 'source' | 'hookId' | 'guid' | 'event'>,
  now: number,
): NewDelivery {
  const { source, hookId } = parts
  const own = Object.fromEntries(Object.entries(sent).map(([name, value]) => [name.toLowerCase(), value]))
  const guid = isGuid(parts.guid) ? parts.guid : (own['x-github-delivery'] ?? '')
  const event = parts.event === unknownEvent ? (own['x-github-event'] ?? unknownEvent) : parts.event
  if (!isGuid(guid)) throw new AnswerError('GitHub shows no GUID of the delivery')
  const headers: Record<string, string | undefined> = {
    ...{ 'x-github-hook-id': hookId, 'x-github-delivery': guid, 'x-github-event': event },
    ...own,
    'content-type': 'application/json',
    'content-length': undefined,
    'x-hub-signature': undefined,
    'x-hub-signature-256': undefined,
  }
  const delivery = {
    ...{ guid, event, headers, source, receivedAt: new Date(now) },
    ...{ secretId: undefined, secretIndex: undefined },
  }
  const body = new TextEncoder().encode(payload)
  return {
    ...toNewDelivery({ delivery, body, form: 'json', algorithm: undefined, address: undefined }),
    pulled: true,
  }
}

/** The maximum number of GUIDs in one query of the inbox. */
const batchSize = 500

/** Of the given GUIDs, those that have a delivery in the inbox, or had one that was pruned. */
export async function findKnownGuids(inbox: MissedDeliveryStore, { hookId, guids }: GuidLookup): Promise<Set<string>> {
  const known = new Set<string>()
  for (let start = 0; start < guids.length; start += batchSize) {
    const batch = guids.slice(start, start + batchSize)
    for (const guid of await inbox.knownGuids({ hookId, guids: batch })) known.add(guid)
  }
  return known
}

/** Records the missed deliveries that the inbox has got. @returns Those. */
export async function recordReceived(
  inbox: MissedDeliveryStore,
  missedDeliveries: readonly MissedDelivery[],
): Promise<MissedDelivery[]> {
  const all: MissedDelivery[] = []
  for (const [hookId, ofHook] of Map.groupBy(missedDeliveries, (missed) => missed.hookId)) {
    const known = await findKnownGuids(inbox, { hookId, guids: ofHook.map(({ guid }) => guid) })
    const received = ofHook
      .filter(({ guid }) => known.has(guid))
      .map((missed) => ({ ...missed, state: 'received' as const }))
    await inbox.saveMissedDeliveries(received)
    all.push(...received)
  }
  return all
}

/**
 * The value of `X-GitHub-Hook-ID` for the App's webhook. GitHub's API does not show it, but deliveries have it. The inbox
 * does not keep the id, because another App may use the inbox next.
 * @param newest The newest attempts in the log.
 * @returns `undefined` if there are no attempts.
 * @throws {Error} if none of the first `maxTries` attempts shows the id.
 */
export async function findAppHookId(log: DeliveryLog, newest: readonly LoggedAttempt[]): Promise<string | undefined> {
  let failure: unknown
  for (const attempt of newest.slice(0, maxTries)) {
    failure ??= new AnswerError("No attempt in GitHub's delivery log shows the id of the App's webhook")
    try {
      const { headers } = await log.read(attempt.id)
      const [, id = ''] = Object.entries(headers).find(([name]) => name.toLowerCase() === 'x-github-hook-id') ?? []
      if (isId(id)) return id
    } catch (error) {
      if (!concernsOneEntity(error)) throw error
      failure = error
    }
  }
  if (failure !== undefined) throw failure
  return undefined
}

/** Some attempts may be unreadable. */
const maxTries = 10
