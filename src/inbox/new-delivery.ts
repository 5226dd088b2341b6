import type { DeliveryHeaders } from '../delivery.ts'
import type { NewDelivery } from './inbox.ts'

/** Values that are not kept: what proves a sender could be replayed by whoever reads the inbox. */
const secrets = ['x-hub-signature-256', 'x-hub-signature', 'authorization', 'proxy-authorization', 'cookie']

/** What is stored of a verified delivery. */
export function toNewDelivery(arrival: {
  facts: DeliveryHeaders
  body: Uint8Array
  form: 'json' | 'form'
  algorithm: string | undefined
  address: string | undefined
  trace?: string | undefined
  editedFrom?: number | undefined
}): NewDelivery {
  const { facts, ...rest } = arrival
  const { guid, event, source, secretId, secretIndex } = facts
  const headers = withoutSecrets(facts.headers)
  const hookId = headers['x-github-hook-id'] ?? ''
  const receivedAt = facts.receivedAt.getTime()
  const secret = { secretId: secretId === undefined ? undefined : String(secretId), secretIndex } // whatever a resolver gave
  return { ...rest, source, hookId, guid, event, headers, receivedAt, ...secret }
}

/** Headers without what proves a sender. */
export function withoutSecrets(given: DeliveryHeaders['headers']): Record<string, string | undefined> {
  const headers = { ...given }
  for (const name of secrets) if (headers[name] !== undefined) headers[name] = '[not kept]'
  return headers
}
