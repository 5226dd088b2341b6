import type { DeliveryHeaders } from '../delivery.ts'
import type { NewDelivery } from './inbox.ts'

/** Headers whose values are not stored: a reader of the inbox could use them to send as the original sender. */
const secrets = ['x-hub-signature-256', 'x-hub-signature', 'authorization', 'proxy-authorization', 'cookie']

/** The row of a verified delivery, without secrets. */
export function toNewDelivery(received: {
  facts: DeliveryHeaders
  body: Uint8Array
  form: 'json' | 'form'
  algorithm: string | undefined
  address: string | undefined
  trace?: string | undefined
  editedFrom?: number | undefined
}): NewDelivery {
  const { facts, ...rest } = received
  const { guid, event, source, secretId, secretIndex } = facts
  const headers = withoutSecrets(facts.headers)
  const hookId = headers['x-github-hook-id'] ?? ''
  const receivedAt = facts.receivedAt.getTime()
  const secret = { secretId: secretId === undefined ? undefined : String(secretId), secretIndex } // a resolver of the application may return any type
  return { ...rest, source, hookId, guid, event, headers, receivedAt, ...secret }
}

/** Replaces the values of headers that authenticate a sender. */
export function withoutSecrets(original: DeliveryHeaders['headers']): Record<string, string | undefined> {
  const headers = { ...original }
  for (const name of secrets) if (headers[name] !== undefined) headers[name] = '[not kept]'
  return headers
}
