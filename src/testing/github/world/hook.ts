import { eventsOfEveryApp } from '../../../github/event-permissions.ts'
import type { Secret } from '../../../options.ts'
import type { App, LocalApp } from './app.ts'
import type { Account, Repository } from './repository.ts'

/** The settings of a webhook, and the repository, organization or App that it belongs to. */
export type LocalHookOptions = {
  /** The URL that receives deliveries. */
  url: string
  /** Default: none, and deliveries are not signed. */
  secret?: Secret
  /** Default: `['*']`, all events. GitHub's API uses `['push']` as the default for a new webhook. */
  events?: readonly string[]
  /** Default: `json`. GitHub's API uses `form` as the default for a new webhook. */
  contentType?: 'json' | 'form'
  /** Default: `true`; an inactive webhook gets no deliveries. */
  active?: boolean
} & (
  | { /** Full name: `octo/hello`. */ repository: string }
  | { organization: string }
  | { /** The App, or its id. An App has one webhook: a second replaces the first. */ app: LocalApp | number }
)

/** A webhook. */
export interface LocalHook {
  /** Given by the local GitHub; also in the header `X-GitHub-Hook-ID`. */
  readonly id: number
  /** The URL that receives deliveries. A change takes effect at the next delivery. */
  url: string
  /** `undefined`: deliveries are not signed. */
  secret: Secret | undefined
  /** The events that it subscribes to. `*` stands for all. */
  events: readonly string[]
  /** `json`, or `form` for `application/x-www-form-urlencoded`. */
  contentType: 'json' | 'form'
  /** An inactive webhook gets no deliveries. */
  active: boolean
}

/** The owner of a webhook, by the name that `X-GitHub-Hook-Installation-Target-Type` uses. */
export type HookOwner =
  | { type: 'repository'; of: Repository }
  | { type: 'organization'; of: Account }
  | { type: 'integration'; of: App }

export interface Hook extends LocalHook {
  readonly owner: HookOwner
  readonly createdAt: number
  updatedAt: number
  insecureSsl: '0' | '1'
  /** The result of the last delivery. */
  lastResponse: { code: number | null; status: string; message: string | null }
}

/** The properties of a new webhook. */
export interface NewHook extends Partial<Omit<LocalHook, 'id' | 'url' | 'secret'>> {
  url: string
  secret?: Secret | undefined
  insecureSsl?: '0' | '1'
}

export function makeHook(id: number, owner: HookOwner, hook: NewHook, createdAt: number): Hook {
  const { url, secret, events = ['*'], contentType = 'json', active = true, insecureSsl = '0' } = hook
  const lastResponse = { code: null, status: 'unused', message: null }
  const given = { url, secret, events, contentType, active, insecureSsl }
  return { id, owner, ...given, createdAt, updatedAt: createdAt, lastResponse }
}

/** Whether the webhook is active and subscribed to the event. */
export function subscribes({ active, events, owner }: Hook, event: string): boolean {
  const always = owner.type === 'integration' && eventsOfEveryApp.includes(event)
  return active && (always || events.includes('*') || events.includes(event))
}
