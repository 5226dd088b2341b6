import type { DeliveryLog, LoggedAttempt } from '../delivery-log.ts'
import { type SecretProof, secretProof } from './secret-proof.ts'
import type { WebhookDetails } from './webhook-details.ts'
import type { WebhooksApi } from './webhooks-api.ts'

/** The first pauses between polls, in milliseconds: most receivers answer a ping immediately. */
const firstPausesMs = [100, 200, 400]
/**
 * The later pauses. With 40 of them, all polls take more than 40 s, because the log shows a delivery only when the
 * delivery has ended: GitHub waits 10 s for the receiver, and an Enterprise Server 30 s.
 */
const pauseMs = 1000
const maxPolls = firstPausesMs.length + 40

/**
 * Pings a webhook, and reads from the log which secret GitHub signed the ping with. GitHub has no ping for the webhook
 * of an App. For an App, this asks for a redelivery of the newest ping on the first page of the log. GitHub signs the
 * redelivery anew.
 * @returns `undefined` if the log shows no new ping in time, or if the first page of the App's log has no ping.
 */
export async function proveByPing(
  api: WebhooksApi,
  { id }: Pick<WebhookDetails, 'id'>,
  secrets: readonly string[],
): Promise<SecretProof | undefined> {
  const log = api.log(id)
  const before = await log.newest()
  if (id !== undefined) await api.ping(id)
  else {
    const ping = before.find(isPing)
    if (!ping) return undefined
    await log.redeliver(ping.id)
  }
  return proveByNextPing(api, log, secrets, before)
}

/** The same as `proveByPing`, but for the ping that GitHub sends to a new webhook. */
export function proveByFirstPing(
  api: WebhooksApi,
  { id }: Pick<WebhookDetails, 'id'>,
  secrets: readonly string[],
): Promise<SecretProof | undefined> {
  return proveByNextPing(api, api.log(id), secrets, [])
}

/** Reads from the log which secret GitHub signed the last delivery with. The secret may have changed since then. */
export async function proveByLastDelivery(
  api: WebhooksApi,
  { id }: Pick<WebhookDetails, 'id'>,
  secrets: readonly string[],
): Promise<SecretProof | undefined> {
  const log = api.log(id)
  const [last] = await log.newest()
  return last && proofFrom(log, last, secrets)
}

/**
 * Proves the secret by a ping. If a ping is not allowed, or if the log does not show it in time, proves the secret by
 * the last delivery.
 * @param isPinged Whether to ping the webhook. An inactive webhook is never pinged.
 * @returns `undefined` if the log shows no delivery.
 */
export async function proveSecret(
  api: WebhooksApi,
  webhook: Pick<WebhookDetails, 'id' | 'active'>,
  secrets: readonly string[],
  isPinged: boolean,
): Promise<SecretProof | undefined> {
  const pinged = isPinged && webhook.active !== false ? await proveByPing(api, webhook, secrets) : undefined
  return pinged ?? proveByLastDelivery(api, webhook, secrets)
}

async function proveByNextPing(
  api: WebhooksApi,
  log: DeliveryLog,
  secrets: readonly string[],
  before: readonly LoggedAttempt[],
): Promise<SecretProof | undefined> {
  const known = new Set(before.map(({ id }) => id))
  for (let polls = 0; polls < maxPolls; polls++) {
    const ping = (await log.newest()).find((attempt) => isPing(attempt) && !known.has(attempt.id))
    if (ping) return proofFrom(log, ping, secrets)
    await api.pause(firstPausesMs[polls] ?? pauseMs)
  }
  return undefined
}

const isPing = ({ event }: LoggedAttempt): boolean => event === 'ping'

async function proofFrom(log: DeliveryLog, attempt: LoggedAttempt, secrets: readonly string[]): Promise<SecretProof> {
  return secretProof(attempt, await log.readExchange(attempt.id), secrets)
}
