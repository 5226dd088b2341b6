import type { Json } from '../../../runtime/json.ts'

/** A delivery, successful or not. */
export interface LocalDelivery {
  /** A decimal number. On github.com it is larger than 2^53, so a JavaScript number cannot hold it. */
  readonly id: string
  /** The GUID of the event: the same for all its webhooks and for redeliveries. */
  readonly guid: string
  readonly hookId: number
  readonly event: string
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
  readonly redelivery: boolean
  /** In seconds. */
  readonly duration: number
  /** `OK`, `Invalid HTTP Response: 503`, `failed to connect to host`, `timed out`. */
  readonly status: string
  /** The status of the receiver's answer; 502 if the connection failed, 504 if the answer did not arrive in time. */
  readonly statusCode: number
  readonly installationId: number | undefined
  readonly repositoryId: number | undefined
  readonly url: string
  readonly request: {
    readonly headers: Readonly<Record<string, string>>
    readonly payload: object
    /** The JSON text of the payload, if the test gave the payload as text. */
    readonly payloadText: string | undefined
  }
  readonly response: { readonly headers: Readonly<Record<string, string>>; readonly payload: string | null }
}

/** The result of an attempt to deliver. */
export type Outcome = Pick<LocalDelivery, 'status' | 'statusCode' | 'response'>

const noResponse = { headers: {}, payload: null }

/** GitHub's text for a status: only a 2xx is a success. */
export function statusOf(statusCode: number): string {
  return statusCode >= 200 && statusCode < 300 ? 'OK' : `Invalid HTTP Response: ${statusCode}`
}

export const unreachable: Outcome = { status: 'failed to connect to host', statusCode: 502, response: noResponse }

export const timedOut: Outcome = { status: 'timed out', statusCode: 504, response: noResponse }

/** The value for a webhook's `last_response`. */
export function healthOf({ status }: Outcome): string {
  if (status === 'OK') return 'active'
  if (status === timedOut.status) return 'timeout'
  return status === unreachable.status ? 'connection_error' : 'misconfigured'
}

/** The id of a payload's member `name`. */
export function idIn(payload: object, name: 'installation' | 'repository'): number | undefined {
  const { id } = ((payload as Json)[name] ?? {}) as { id?: unknown }
  return typeof id === 'number' ? id : undefined
}
