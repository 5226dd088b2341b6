import type { DeliveryStore, MissedDeliveryStore } from '../inbox/inbox.ts'
import type { MissedDelivery } from '../inbox/missed-deliveries.ts'
import { publishStored } from '../inbox/store-delivery.ts'
import { AnswerError } from './answer.ts'
import type { DeliveryLog, LoggedAttempt } from './delivery-log.ts'
import { findKnownGuids, pulledDelivery } from './pulled-delivery.ts'
import { concernsOneEntity, describeError, type RequestError } from './requester.ts'

/**
 * A sweep or a poll ends when the strikes of failures in a row reach this number: the cause is then not a single
 * delivery. These are 3 failures of the network or of GitHub, or 30 of others.
 */
export const maxStrikes = 30

/** The result of a request to GitHub about one missed delivery. */
interface Fetched {
  missed: MissedDelivery
  /** Why the request failed. The delivery is then still missed, or expired. */
  error?: unknown
  /** How much the failure suggests that all requests fail. */
  strikes: number
}

interface FetcherSettings {
  inbox: DeliveryStore & MissedDeliveryStore
  source: string
  /** Milliseconds for which GitHub keeps deliveries. */
  retention: number
}

/** Fetches the deliveries of one webhook. A delivery that cannot be fetched does not stop the others. */
export class Fetcher {
  readonly #log: DeliveryLog
  readonly #settings: FetcherSettings
  readonly #startedAt = performance.now()
  readonly #githubTime: number
  #oldIds: Promise<Set<string>> | undefined

  /** @param githubTime GitHub's time now, in milliseconds since 1970. */
  constructor(log: DeliveryLog, settings: FetcherSettings, githubTime: number) {
    this.#log = log
    this.#settings = settings
    this.#githubTime = githubTime
  }

  /**
   * Stores the payload that GitHub's API shows, unless the inbox has the delivery under another id of the webhook: that
   * of an App's webhook may have changed since it was read.
   * @throws if GitHub answers no requests of this client, or if the inbox fails.
   */
  pull(missed: MissedDelivery): Promise<Fetched> {
    return this.#attempt(missed, 'received', async () => {
      const { inbox, source } = this.#settings
      const sent = await this.#log.read(missed.deliveryId)
      const delivery = pulledDelivery(sent, { ...missed, source }, Date.now())
      const { hookId, guid } = delivery
      if (hookId !== missed.hookId && (await findKnownGuids(inbox, { hookId, guids: [guid] })).size > 0) return
      publishStored(await inbox.store(delivery), delivery)
    })
  }

  /** Requests a redelivery. @throws if GitHub answers no requests of this client. */
  redeliver(missed: MissedDelivery): Promise<Fetched> {
    return this.#attempt(missed, 'requested', () => this.#log.redeliver(missed.deliveryId))
  }

  async #attempt(
    given: MissedDelivery,
    state: 'received' | 'requested',
    request: () => Promise<void>,
  ): Promise<Fetched> {
    const missed = { ...given, requests: given.requests + 1, requestedAt: Date.now() }
    try {
      await request()
      return { missed: { ...missed, state }, strikes: 0 }
    } catch (error) {
      if (!concernsOneEntity(error)) throw error
      const reason = reasonOf(error as RequestError)
      const strikes = strikesOf(error as RequestError)
      const failed = (after: 'missed' | 'expired'): Fetched => ({
        missed: { ...missed, state: after, status: reason },
        ...{ error: new Error(reason, { cause: error }), strikes },
      })
      if (this.#now < missed.expiresAt) return failed('missed')
      if (!isMissing(error as RequestError)) return failed('expired')
      if (await this.#isListed(missed)) return failed('missed')
      return { missed: { ...given, state: 'expired', status: 'GitHub no longer keeps it' }, strikes: 0 }
    }
  }

  /** Whether the log still lists an attempt that is older than GitHub keeps attempts. */
  async #isListed({ deliveryId }: MissedDelivery): Promise<boolean> {
    this.#oldIds ??= this.#readOldIds()
    return (await this.#oldIds).has(deliveryId)
  }

  /** The ids of the attempts that the log still lists, although they are older than GitHub keeps them. */
  async #readOldIds(): Promise<Set<string>> {
    const old = new Set<string>()
    const reading = await this.#log.open()
    for await (const attempts of reading?.since(0) ?? []) {
      for (const { id, deliveredAt } of attempts) if (this.#now - deliveredAt >= this.#settings.retention) old.add(id)
    }
    return old
  }

  get #now(): number {
    return this.#githubTime + performance.now() - this.#startedAt
  }
}

/** GitHub answers a request for a deleted attempt with 404, 410 or 422. It does not document which. */
const isMissing = ({ status = 0 }: RequestError): boolean => [404, 410, 422].includes(status)

function strikesOf(error: RequestError): number {
  const { name, status = 0 } = error
  const isOutage = name === 'TimeoutError' || (status >= 500 && !(error instanceof AnswerError))
  return isOutage ? maxStrikes / 3 : 1
}

/** A short reason why a delivery cannot be fetched, for its record. */
function reasonOf(error: RequestError): string {
  const { name, status, response } = error
  if (error instanceof AnswerError) return error.message
  if (name === 'TimeoutError') return 'GitHub did not answer in time'
  if (status === 404) {
    return 'GitHub lists it, but does not show it (404): check that the token or the App still has the permission "Webhooks"'
  }
  return response === undefined ? describeError(error) : `GitHub answered ${status}`
}

/** The record of a delivery that the inbox does not have. @param last The latest attempt. */
export function newMissedDelivery(
  { hookId, target, retention }: { hookId: string; target: string; retention: number },
  { guid, event, action, deliveredAt }: LoggedAttempt,
  { id, status, deliveredAt: latestAt }: LoggedAttempt,
): MissedDelivery {
  return {
    ...{ hookId, guid, target, event, action, deliveredAt, deliveryId: id, status, state: 'missed' },
    ...{ requests: 0, requestedAt: undefined, expiresAt: latestAt + retention },
  }
}
