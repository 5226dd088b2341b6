import type { operations } from '@octokit/openapi-webhooks-types'

/**
 * What GitHub sends, as types. All of it is derived from GitHub's OpenAPI description: an event that
 * GitHub adds is typed as soon as `@octokit/openapi-webhooks-types` knows it, and works before that.
 */

/** The description says `pull-request-review/submitted`, the protocol `pull_request_review.submitted`. */
type Underscored<S extends string> = S extends `${infer Head}-${infer Tail}` ? `${Head}_${Underscored<Tail>}` : S
type ProtocolName<Op extends string> = Op extends `repository-dispatch/${string}`
  ? 'repository_dispatch' // its actions are the sender's own, the description lists a sample
  : Op extends `${infer Event}/${infer Action}`
    ? `${Underscored<Event>}.${Underscored<Action>}`
    : Underscored<Op>

/** From `event.action`, or from `event` where an event has no actions, to the payload. */
export type EventPayloads = {
  [Op in keyof operations & string as ProtocolName<Op>]: operations[Op] extends {
    requestBody: { content: { 'application/json': infer Payload } }
  }
    ? Payload
    : Record<string, unknown>
}

type Described = keyof EventPayloads
type EventPart<Name extends string> = Name extends `${infer Event}.${string}` ? Event : Name
type ActionPart<Name extends string> = Name extends `${string}.${infer Action}` ? Action : undefined

/** The events known to this version: the values of `X-GitHub-Event`. */
export type KnownEvent = EventPart<Described>

/** A name that handlers can be registered for: `event`, `event.action` or `*`. */
export type EventName = Described | KnownEvent | '*'

/** `EventName` in an editor's completion, and any other string: GitHub adds events all the time. */
export type AnyEventName = EventName | (string & {})

/** What every payload may have; the type of `data` for `*`. */
export interface AnyPayload {
  action?: string
  repository?: { id: number; name: string; full_name: string; [key: string]: unknown }
  organization?: { id: number; login: string; [key: string]: unknown }
  installation?: { id: number; [key: string]: unknown }
  sender?: { id: number; login: string; [key: string]: unknown }
  [key: string]: unknown
}

/**
 * The payload of deliveries named `Name`: exact for `event.action`, a union discriminated by `action` for
 * `event`, `AnyPayload` for `*`, and `Record<string, unknown>` for a name that the description lacks.
 */
export type PayloadOf<Name extends string> = Name extends '*'
  ? AnyPayload
  : Name extends Described
    ? EventPayloads[Name]
    : Name extends KnownEvent
      ? EventPayloads[Extract<Described, `${Name}.${string}`>]
      : Name extends `repository_dispatch.${infer Action}`
        ? EventPayloads['repository_dispatch'] & { action: Action }
        : Record<string, unknown>

/** The event of deliveries named `Name`. */
export type EventOf<Name extends string> = Name extends '*' ? string : EventPart<Name>

/** The action of deliveries named `Name`; `undefined` where the event has none. */
export type ActionOf<Name extends string> = Name extends `${string}.${string}`
  ? ActionPart<Name>
  : Name extends KnownEvent
    ? ActionPart<Extract<Described, Name | `${Name}.${string}`>>
    : string | undefined
