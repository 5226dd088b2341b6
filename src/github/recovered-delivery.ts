/** The functions that recovery and polling share. */
import type { Inbox, NewDelivery } from '../inbox/inbox.ts'
import type { GuidLookup } from '../inbox/missed-deliveries.ts'
import { toNewDelivery } from '../inbox/store-delivery.ts'
import type { DeliveryLog, LoggedAttempt, SentRequest } from './delivery-log.ts'

/**
 * A delivery that was read from GitHub's API, to be stored. Its bytes are not those that GitHub signed, so there is no
 * signature to check: hookserver trusts the connection to the API and the token.
 * @param parts The source, hook id, GUID and event of the delivery. If GitHub's entry lacks the header of the hook id,
 * the GUID or the event, the stored header has the value from `parts`.
 */
export function recoveredDelivery(
  { headers: sent, payload }: SentRequest,
  parts: Pick<NewDelivery, 'source' | 'hookId' | 'guid' | 'event'>,
  now: number,
): NewDelivery {
  const { source, hookId, guid, event } = parts
  const lowerCase = Object.entries(sent).map(([name, value]) => [name.toLowerCase(), value])
  const headers = {
    ...{ 'x-github-hook-id': hookId, 'x-github-delivery': guid, 'x-github-event': event },
    ...Object.fromEntries(lowerCase),
    'content-type': 'application/json',
    'content-length': undefined,
    'x-hub-signature': undefined,
    'x-hub-signature-256': undefined,
  }
  const delivery = {
    ...{ guid, event, headers, source, receivedAt: new Date(now) },
    ...{ secretId: undefined, secretIndex: undefined },
  }
  const body = new TextEncoder().encode(JSON.stringify(payload))
  return {
    ...toNewDelivery({ delivery, body, form: 'json', algorithm: undefined, address: undefined }),
    recovered: true,
  }
}

/** The maximum number of GUIDs in one query of the inbox. */
const batchSize = 500

/** Of the given GUIDs, those that have a delivery in the inbox, or had one that was pruned. */
export async function findKnownGuids(inbox: Inbox, { source, hookId, guids }: GuidLookup): Promise<Set<string>> {
  const known = new Set<string>()
  for (let start = 0; start < guids.length; start += batchSize) {
    const batch = guids.slice(start, start + batchSize)
    for (const guid of await inbox.knownGuids({ source, hookId, guids: batch })) known.add(guid)
  }
  return known
}

/**
 * When the inbox was created, in milliseconds since 1970. Rounded down to a second, because GitHub's log has whole
 * seconds. Recovery and polling skip deliveries that GitHub sent before this time.
 */
export async function inboxCreatedAt(inbox: Inbox): Promise<number> {
  return Math.floor((await inbox.createdAt()) / 1000) * 1000
}

/** The inbox keeps the id of the App's webhook under this key. */
const appHookKey = 'id of the App webhook'

/**
 * The value of `X-GitHub-Hook-ID` for the App's webhook. GitHub's API does not show it, but deliveries have it.
 * @param newest Finds a recent attempt of this webhook. Called only if the inbox does not have the id.
 * @returns `undefined` if the inbox does not have the id, and `newest` finds no attempt or one without this header.
 */
export async function findAppHookId(
  inbox: Inbox,
  log: DeliveryLog,
  newest: () => Promise<LoggedAttempt | undefined>,
): Promise<string | undefined> {
  const stored = await inbox.getValue(appHookKey)
  if (stored !== undefined) return stored
  const attempt = await newest()
  if (!attempt) return undefined
  const { headers } = await log.read(attempt.id)
  const [, id] = Object.entries(headers).find(([name]) => name.toLowerCase() === 'x-github-hook-id') ?? []
  if (id !== undefined) await inbox.setValue(appHookKey, id)
  return id
}
