import type { NewDelivery } from '../inbox/inbox.ts'
import { toNewDelivery } from '../inbox/new-delivery.ts'
import type { Sent } from './delivery-log.ts'

/**
 * What GitHub's API says that it sent, as a delivery that came. Its bytes are not those that were sent, so that there is
 * no signature to check: what is trusted is the connection to the API, and the token.
 * @param unknown Where GitHub does not say: the hook that was looked at, and the GUID that was asked for.
 */
export function recoveredParcel(
  { headers: given, payload }: Sent,
  { source, hookId, guid, event }: Pick<NewDelivery, 'source' | 'hookId' | 'guid' | 'event'>,
  now: number,
): NewDelivery {
  const sent = Object.entries(given).map(([name, value]) => [name.toLowerCase(), value])
  const headers = {
    ...{ 'x-github-hook-id': hookId, 'x-github-delivery': guid, 'x-github-event': event },
    ...Object.fromEntries(sent),
    'content-type': 'application/json',
    'content-length': undefined,
    'x-hub-signature': undefined,
    'x-hub-signature-256': undefined,
  }
  const facts = {
    ...{ guid, event, headers, source, receivedAt: new Date(now) },
    ...{ secretId: undefined, secretIndex: undefined },
  }
  const body = new TextEncoder().encode(JSON.stringify(payload))
  return { ...toNewDelivery({ facts, body, form: 'json', algorithm: undefined, address: undefined }), recovered: true }
}
