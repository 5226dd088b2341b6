import type { Json } from '../../../runtime/json.ts'

/** A delivery, successful or not. */
export interface LocalDelivery {
  /** A decimal number. On github.com it is larger than 2^53, so a JavaScript number cannot hold it. */
  readonly id: string
  /** The GUID of the event: the same for all its webhooks and for redeliveries. */
  readonly guid: string
  /** The id of the webhook. */
  readonly hookId: number
  /** Without the action. */
  readonly event: string
  /** `undefined` if the payload has none. */
  readonly action: string | undefined
  /**
   * When it started, in milliseconds since 1970, by the clock of the local GitHub. The API shows it as `delivered_at`.
   * This is an assumption: GitHub does not document whether `delivered_at` is the start or the end.
   */
  readonly deliveredAt: number
  /** When it ended, in milliseconds since 1970, by the clock of the local GitHub. The option `logLag` counts from here. */
  readonly endedAt: number
  /** When GitHub held it back, in milliseconds since 1970. */
  readonly throttledAt: number | undefined
  /** Whether a client requested it through the API. */
  readonly redelivery: boolean
  /** In milliseconds. The API shows it in seconds. */
  readonly duration: number
  /** `OK`, `Invalid HTTP Response: 503`, or why there is no answer. See the option `statusTexts`. */
  readonly status: string
  /** The status of the receiver's answer. Without an answer: 500, or 502 and 504 with classic status texts. */
  readonly statusCode: number
  /** Why the receiver did not answer. `undefined` if it answered. */
  readonly failure: DeliveryFailure | undefined
  /** `undefined` if the webhook is not that of an App. */
  readonly installationId: number | undefined
  /** `undefined` if the payload has no repository. */
  readonly repositoryId: number | undefined
  /** The URL that it was sent to. */
  readonly url: string
  /** The request that the receiver got. */
  readonly request: {
    readonly headers: Readonly<Record<string, string>>
    readonly payload: object
    /** The JSON text of the payload, if the test gave the payload as text. */
    readonly payloadText: string | undefined
  }
  /** The answer of the receiver. Without one: no headers, and `null`. */
  readonly response: { readonly headers: Readonly<Record<string, string>>; readonly payload: string | null }
}

/**
 * Why a receiver did not answer: `timeout` (not in time), `closed` (it closed the connection), `unreachable` (no
 * connection), `unresolved` (its host name has no address), `tls` (no TLS connection, or an invalid certificate).
 */
export type DeliveryFailure = 'timeout' | 'closed' | 'unreachable' | 'unresolved' | 'tls'

/** The result of an attempt to deliver. */
export type Outcome = Pick<LocalDelivery, 'status' | 'statusCode' | 'failure' | 'response'>

export const isSuccess = (statusCode: number): boolean => statusCode >= 200 && statusCode < 300

/** The value for a webhook's `last_response`. */
export function healthOf({ failure, statusCode }: Outcome): string {
  if (failure === 'timeout') return 'timeout'
  if (failure !== undefined) return 'connection_error'
  return isSuccess(statusCode) ? 'active' : 'misconfigured'
}

/** The id of a payload's member `name`. */
export function idIn(payload: object, name: 'installation' | 'repository'): number | undefined {
  const { id } = ((payload as Json)[name] ?? {}) as { id?: unknown }
  return typeof id === 'number' ? id : undefined
}
