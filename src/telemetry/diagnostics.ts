import { builtinModule } from '../runtime/platform.ts'

/**
 * What happens, for those who listen: `diagnostics_channel` of Node.js, channels `hookserver:<name>`. Nobody listening
 * costs one look at a property. `docs/observability.md` says what each message has.
 */

/** The part of `diagnostics_channel.Channel` that is used. */
interface Channel<Message> {
  readonly hasSubscribers: boolean
  publish(message: Message): void
}

interface About {
  guid: string
  event: string
  source: string
}

/** The message of each channel. Nothing in them is a secret; the payload is not in them. */
export interface DiagnosticsMessages {
  /** A delivery was verified; by which of the secrets, if it was signed. */
  received: About & { secretIndex: number | undefined }
  /** A request was refused, or its handlers failed before the answer. */
  refused: { code: string; status: number; guid: string | undefined; event: string | undefined }
  /**
   * A delivery is safe in the inbox; `rearmed` if it was known and is handled again, `conflict` if other bytes came
   * before under the same identity.
   */
  stored: About & { id: number; rearmed: boolean; conflict: boolean }
  /** A copy of a delivery that is in the inbox. */
  duplicate: About & { id: number }
  /** So many deliveries were made safe together; `duration` in milliseconds, from when they were handed over for it. */
  committed: { deliveries: number; duration: number }
  /** An attempt has ended; `duration` in milliseconds. */
  attempt: About & { id: number; handler: string; attempt: number; outcome: string; duration: number; error: unknown }
  /** It will be made again, at `nextAt` (milliseconds since 1970). */
  retried: About & { id: number; handler: string; attempt: number; nextAt: number; error: unknown }
  /** A delivery ended without success. */
  dead: About & { id: number; error: unknown }
}

type Channels = { readonly [Name in keyof DiagnosticsMessages]: Channel<DiagnosticsMessages[Name]> | undefined }

export const diagnostics: Channels = {
  received: channel('received'),
  refused: channel('refused'),
  stored: channel('stored'),
  duplicate: channel('duplicate'),
  committed: channel('committed'),
  attempt: channel('attempt'),
  retried: channel('retried'),
  dead: channel('dead'),
}

function channel<Name extends keyof DiagnosticsMessages>(name: Name): Channel<DiagnosticsMessages[Name]> | undefined {
  type Module = { channel(name: string): Channel<DiagnosticsMessages[Name]> }
  return builtinModule<Module>('node:diagnostics_channel')?.channel(`hookserver:${name}`)
}
