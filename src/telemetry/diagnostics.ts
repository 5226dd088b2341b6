import { builtinModule } from '../runtime/platform.ts'

/**
 * Events on channels of `node:diagnostics_channel`, named `hookserver:<name>`. Without a subscriber an event costs one
 * property read. `docs/observability.md` describes the messages. `tracing.ts` publishes operations, which have a start
 * and an end, on other channels.
 */

/** The members of Node.js's `Channel` that are used. */
interface Channel<Message> {
  readonly hasSubscribers: boolean
  publish(message: Message): void
}

/** The members that the messages about one delivery have. */
export interface DeliveryMessage {
  /** `X-GitHub-Delivery`. */
  guid: string
  /** `X-GitHub-Event`, without the action. */
  event: string
  /** The name of the mount that received the delivery. */
  source: string
}

/** The message of each channel. It contains no secret and no payload. */
export interface DiagnosticsMessages {
  /**
   * A delivery has passed the checks of its origin, signature and headers. `secretIndex`: the index of the secret that
   * signed it, if signatures are checked.
   */
  received: DeliveryMessage & { secretIndex: number | undefined }
  /**
   * A request was rejected, or its handlers failed before the reply. Not published if the path or the method of the
   * request is wrong, during a shutdown, or for an internal error.
   */
  rejected: { code: string; status: number; guid: string | undefined; event: string | undefined }
  /**
   * A delivery was committed to the inbox. `rearmed`: it was in the inbox before, and is handled again. `conflict`:
   * another body arrived before under the same identity.
   */
  stored: DeliveryMessage & { id: number; rearmed: boolean; conflict: boolean }
  /** A copy of a stored or pruned delivery arrived. `id`: that of the stored delivery, or 0 if it was pruned. */
  duplicate: DeliveryMessage & { id: number }
  /** Deliveries were committed together. `duration`: milliseconds that the store took to commit them. */
  committed: { deliveries: number; duration: number }
  /**
   * An attempt of a stored delivery has ended. `duration`: milliseconds. `receivedAt`: when the delivery was received
   * (milliseconds since 1970).
   */
  attempt: DeliveryMessage & {
    id: number
    action: string | undefined
    handler: string
    attempt: number
    outcome: string
    duration: number
    receivedAt: number
    error: unknown
  }
  /** An attempt failed, and the next attempt is due at `nextAt` (milliseconds since 1970). */
  retried: DeliveryMessage & { id: number; handler: string; attempt: number; nextAt: number; error: unknown }
  /** A delivery ended as `dead`. */
  dead: DeliveryMessage & { id: number; error: unknown }
  /**
   * A response to a request of an Octokit had a rate limit. `caller`: `token`, or such as `app 1` or `installation 7`.
   * `resource`: such as `core` or `search`. `resetAt`: when `remaining` is `limit` again (milliseconds since 1970).
   */
  rateLimit: { caller: string; resource: string; limit: number; remaining: number; resetAt: number }
}

type Channels = { readonly [Name in keyof DiagnosticsMessages]: Channel<DiagnosticsMessages[Name]> | undefined }

export const diagnostics: Channels = {
  received: channel('received'),
  rejected: channel('rejected'),
  stored: channel('stored'),
  duplicate: channel('duplicate'),
  committed: channel('committed'),
  attempt: channel('attempt'),
  retried: channel('retried'),
  dead: channel('dead'),
  rateLimit: channel('rateLimit'),
}

function channel<Name extends keyof DiagnosticsMessages>(name: Name): Channel<DiagnosticsMessages[Name]> | undefined {
  type Module = { channel(name: string): Channel<DiagnosticsMessages[Name]> }
  return builtinModule<Module>('node:diagnostics_channel')?.channel(`hookserver:${name}`)
}
