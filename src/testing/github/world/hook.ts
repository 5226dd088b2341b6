import type { Secret } from '../../../options.ts'
import type { App, LocalApp } from './app.ts'
import type { Account, Repository } from './repository.ts'

/** Whose the hook is, one of the three, and what it is. */
export type LocalHookOptions = {
  /** Where deliveries are sent to. */
  url: string
  /** Default: none, and deliveries are not signed. */
  secret?: Secret
  /** Default: `['*']`, all events. GitHub's own default, for hooks that are made by its API, is `['push']`. */
  events?: readonly string[]
  /** Default: `json`. GitHub's own default, for hooks that are made by its API, is `form`. */
  contentType?: 'json' | 'form'
  /** Default: `true`; another one gets nothing. */
  active?: boolean
} & (
  | { /** Full name: `octo/hello`. */ repository: string }
  | { organization: string }
  | { /** The App, or its id. It has one hook: a second takes the place of the first. */ app: LocalApp | number }
)

/** A webhook. */
export interface LocalHook {
  readonly id: number
  url: string
  secret: Secret | undefined
  events: readonly string[]
  contentType: 'json' | 'form'
  active: boolean
}

/** Whose a hook is, by the word that `X-GitHub-Hook-Installation-Target-Type` has for it. */
export type HookOwner =
  | { type: 'repository'; of: Repository }
  | { type: 'organization'; of: Account }
  | { type: 'integration'; of: App }

export interface Hook extends LocalHook {
  readonly owner: HookOwner
  readonly createdAt: number
  updatedAt: number
  insecureSsl: '0' | '1'
  /** How the last delivery went. */
  lastResponse: { code: number | null; status: string; message: string | null }
}

/** What there is to say of a hook when it is made. */
export interface HookFacts extends Partial<Omit<LocalHook, 'id' | 'url' | 'secret'>> {
  url: string
  secret?: Secret | undefined
  insecureSsl?: '0' | '1'
}

export function makeHook(id: number, owner: HookOwner, facts: HookFacts, createdAt: number): Hook {
  const { url, secret, events = ['*'], contentType = 'json', active = true, insecureSsl = '0' } = facts
  const lastResponse = { code: null, status: 'unused', message: null }
  const given = { url, secret, events, contentType, active, insecureSsl }
  return { id, owner, ...given, createdAt, updatedAt: createdAt, lastResponse }
}

/** Whether an event goes to it that names no hooks. */
export function subscribes({ active, events }: Hook, event: string): boolean {
  return active && (events.includes('*') || events.includes(event))
}
