import type { Json } from '../../../runtime/json.ts'

/** A delivery that was made, whether it arrived or not. */
export interface LocalDelivery {
  readonly id: number
  /** The event's: all hooks that get it have the same, and so have redeliveries. */
  readonly guid: string
  readonly hookId: number
  readonly event: string
  readonly action: string | undefined
  /** When it was claimed, in milliseconds since 1970, by the clock of the local GitHub. */
  readonly deliveredAt: number
  readonly redelivery: boolean
  /** In seconds. */
  readonly duration: number
  /** `OK`, `Invalid HTTP Response: 503`, `failed to connect to host`, `timed out`. */
  readonly status: string
  /** The receiver's; 502 where there was none to connect to, 504 where it did not answer in time. */
  readonly statusCode: number
  readonly installationId: number | undefined
  readonly repositoryId: number | undefined
  readonly url: string
  readonly request: { readonly headers: Readonly<Record<string, string>>; readonly payload: object }
  readonly response: { readonly headers: Readonly<Record<string, string>>; readonly payload: string | null }
}

/** How an attempt to deliver ended. */
export type Outcome = Pick<LocalDelivery, 'status' | 'statusCode' | 'response'>

const noResponse = { headers: {}, payload: null }

/** What an answer is called: only a 2xx is a success. */
export function statusOf(statusCode: number): string {
  return statusCode >= 200 && statusCode < 300 ? 'OK' : `Invalid HTTP Response: ${statusCode}`
}

export const unreachable: Outcome = { status: 'failed to connect to host', statusCode: 502, response: noResponse }

export const timedOut: Outcome = { status: 'timed out', statusCode: 504, response: noResponse }

/** The word that a hook's `last_response` has for it. */
export function healthOf({ status }: Outcome): string {
  if (status === 'OK') return 'active'
  if (status === timedOut.status) return 'timeout'
  return status === unreachable.status ? 'connection_error' : 'misconfigured'
}

/** The id of what a payload has under `name`. */
export function idIn(payload: object, name: 'installation' | 'repository'): number | undefined {
  const { id } = ((payload as Json)[name] ?? {}) as { id?: unknown }
  return typeof id === 'number' ? id : undefined
}
