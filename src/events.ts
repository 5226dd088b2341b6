import type { operations } from '@octokit/openapi-webhooks-types'
import { type AddedPayloads, addedActions } from './added-events.ts'
import { type Json, objectIn, textIn } from './runtime/json.ts'
import { suggestion } from './runtime/nearest.ts'
import type { SchedulePayload } from './schedules/schedule.ts'

/**
 * The types of GitHub's events, from its OpenAPI description, and the list of their names. `added-events.ts` has events
 * that the description lacks. Handlers also run for events that GitHub adds later.
 */

/**
 * In the description, the name is `pull-request-review/submitted`; in webhooks it is `pull_request_review.submitted`.
 */
type Underscored<S extends string> = S extends `${infer Head}-${infer Tail}` ? `${Head}_${Underscored<Tail>}` : S
type ProtocolName<Op extends string> = Op extends `repository-dispatch/${string}`
  ? 'repository_dispatch' // senders choose its actions; the description lists an example
  : Op extends `${infer Event}/${infer Action}`
    ? `${Underscored<Event>}.${Underscored<Action>}`
    : Underscored<Op>

/** The payloads in GitHub's description. */
export type DescribedPayloads = {
  [Op in keyof operations & string as ProtocolName<Op>]: operations[Op] extends {
    requestBody: { content: { 'application/json': infer Payload } }
  }
    ? Payload
    : Record<string, unknown>
}

/** Maps `event.action`, or `event` if the event has no actions, to the payload. */
export type EventPayloads = DescribedPayloads & AddedPayloads

type Described = keyof EventPayloads
/** The event in `event.action` or `event`. */
export type EventPart<Name extends string> = Name extends `${infer Event}.${string}` ? Event : Name

/** The names of the deliveries of each event: `event.action` for each action, or `event` if the event has no actions. */
export type NamesByEvent = { [Name in Described as EventPart<Name>]: Name }

/** The events that this version knows: the values of `X-GitHub-Event`. */
export type KnownEvent = keyof NamesByEvent

/**
 * A name that handlers can be registered for: `event`, `event.action` or `*`. `schedule` is an event of `hooks.schedule()`.
 */
export type EventName = Described | KnownEvent | 'schedule' | '*'

/**
 * Any string, because an event may be newer than this version. Editors complete the names of `EventName`. `CheckedName`
 * rejects literals that are no `EventName`.
 */
export type AnyEventName = EventName | (string & {})

/** The members that any payload may have; the type of the payload for `*`. */
export interface AnyPayload {
  /** Such as `opened`. Missing for an event without actions, such as `push`. */
  action?: string
  /** The repository of the event. Missing for events of an organization or an App. */
  repository?: { id: number; name: string; full_name: string; [key: string]: unknown }
  /** The organization that owns the repository or the webhook. Missing for a user's repository. */
  organization?: { id: number; login: string; [key: string]: unknown }
  /** The installation of the App that the webhook belongs to. Missing for other webhooks. */
  installation?: { id: number; [key: string]: unknown }
  /** The user who caused the event. */
  sender?: { id: number; login: string; [key: string]: unknown }
  [key: string]: unknown
}

/**
 * The payload of deliveries named `Name`: exact for `event.action`, a union discriminated by `action` for `event`, and
 * `AnyPayload` for `*` and for unknown names.
 */
export type PayloadOf<Name extends string> = Name extends Described
  ? EventPayloads[Name]
  : Name extends KnownEvent
    ? EventPayloads[NamesByEvent[Name]]
    : Name extends `repository_dispatch.${infer Action}`
      ? EventPayloads['repository_dispatch'] & { action: Action }
      : Name extends 'schedule'
        ? SchedulePayload
        : Name extends `schedule.${infer Schedule}`
          ? SchedulePayload<Schedule>
          : AnyPayload

/** The event of the deliveries that a handler for `Name` receives. Any text for `*`. */
export type EventOf<Name extends string> = Name extends '*' ? string : EventPart<Name>

/** The action of deliveries named `Name`; `undefined` if the event has no actions. */
export type ActionOf<Name extends string> = Name extends `${string}.${infer Action}`
  ? Action
  : Name extends Exclude<KnownEvent, 'repository_dispatch'>
    ? ActionPart<NamesByEvent[Name]>
    : string | undefined
type ActionPart<Name extends string> = Name extends `${string}.${infer Action}` ? Action : undefined

/**
 * The events and actions of GitHub's description, to warn about handlers with a mistyped name, and never to reject
 * anything. `test/types` compares them with the types above.
 */
export const knownActions = {
  branch_protection_configuration: 'disabled enabled',
  branch_protection_rule: 'created deleted edited',
  check_run: 'completed created requested_action rerequested',
  check_suite: 'completed requested rerequested',
  code_scanning_alert: 'appeared_in_branch closed_by_user created fixed reopened reopened_by_user updated_assignment',
  commit_comment: 'created',
  create: '',
  custom_property: 'created deleted promote_to_enterprise updated',
  custom_property_values: 'updated',
  delete: '',
  dependabot_alert: 'assignees_changed auto_dismissed auto_reopened created dismissed fixed reintroduced reopened',
  deploy_key: 'created deleted',
  deployment: 'created',
  deployment_protection_rule: 'requested',
  deployment_review: 'approved rejected requested',
  deployment_status: 'created',
  discussion:
    'answered category_changed closed created deleted edited labeled locked pinned reopened transferred unanswered unlabeled unlocked unpinned',
  discussion_comment: 'created deleted edited',
  fork: '',
  github_app_authorization: 'revoked',
  gollum: '',
  installation: 'created deleted new_permissions_accepted suspend unsuspend',
  installation_repositories: 'added removed',
  installation_target: 'renamed',
  issue_comment: 'created deleted edited pinned unpinned',
  issue_dependencies: 'blocked_by_added blocked_by_removed blocking_added blocking_removed',
  issue_relates_to: 'relates_to_added relates_to_removed',
  issues:
    'assigned closed deleted demilestoned edited field_added field_removed labeled locked milestoned opened pinned reopened transferred typed unassigned unlabeled unlocked unpinned untyped',
  label: 'archived created deleted edited unarchived',
  marketplace_purchase: 'cancelled changed pending_change pending_change_cancelled purchased',
  member: 'added edited removed',
  membership: 'added removed',
  merge_group: 'checks_requested destroyed',
  meta: 'deleted',
  milestone: 'closed created deleted edited opened',
  org_block: 'blocked unblocked',
  organization: 'deleted member_added member_invited member_removed renamed',
  package: 'published updated',
  page_build: '',
  personal_access_token_request: 'approved cancelled created denied',
  ping: '',
  project: 'closed created deleted edited reopened',
  project_card: 'converted created deleted edited moved',
  project_column: 'created deleted edited moved',
  projects_v2: 'closed created deleted edited reopened',
  projects_v2_item: 'archived converted created deleted edited reordered restored',
  projects_v2_status_update: 'created deleted edited',
  public: '',
  pull_request:
    'assigned auto_merge_disabled auto_merge_enabled closed converted_to_draft demilestoned dequeued edited enqueued labeled locked milestoned opened ready_for_review reopened review_request_removed review_requested stacked synchronize unassigned unlabeled unlocked',
  pull_request_review: 'dismissed edited submitted',
  pull_request_review_comment: 'created deleted edited',
  pull_request_review_thread: 'resolved unresolved',
  push: '',
  registry_package: 'published updated',
  release: 'created deleted edited prereleased published released unpublished',
  repository: 'archived created deleted edited privatized publicized renamed transferred unarchived',
  repository_advisory: 'published reported',
  repository_dispatch: '',
  repository_import: '',
  repository_ruleset: 'created deleted edited',
  repository_vulnerability_alert: 'create dismiss reopen resolve',
  secret_scanning_alert:
    'assigned created metadata_created metadata_removed publicly_leaked reopened resolved unassigned validated',
  secret_scanning_alert_location: 'created',
  secret_scanning_scan: 'completed',
  security_advisory: 'published updated withdrawn',
  security_and_analysis: '',
  sponsorship: 'cancelled created edited pending_cancellation pending_tier_change tier_changed',
  star: 'created deleted',
  status: '',
  sub_issues: 'parent_issue_added parent_issue_removed sub_issue_added sub_issue_removed',
  team: 'added_to_repository created deleted edited removed_from_repository',
  team_add: '',
  watch: 'started',
  workflow_dispatch: '',
  workflow_job: 'completed in_progress queued waiting',
  workflow_run: 'completed in_progress requested',
} as const

const actionLists: readonly Readonly<Record<string, string>>[] = [knownActions, addedActions]

/** All events that this version knows. */
export const knownEvents = (): string[] => [...new Set(actionLists.flatMap((list) => Object.keys(list)))]

const isKnownEvent = (event: string): boolean => actionLists.some((list) => Object.hasOwn(list, event))

const actionsOf = (event: string): string[] =>
  actionLists.flatMap((list) => (Object.hasOwn(list, event) ? (list[event] as string).split(' ') : [])).filter(Boolean)

/**
 * Whether this version knows the `event` or `event.action`. `*`, and all actions of `repository_dispatch` and `schedule`,
 * which senders and applications choose, count as known.
 */
export function isKnownName(name: string): boolean {
  const [event, action] = splitName(name)
  if (['*', 'repository_dispatch', 'schedule'].includes(event)) return true
  return isKnownEvent(event) && (action === undefined || actionsOf(event).includes(action))
}

/** Every known event, and every known event with each of its actions. */
export const knownNames = (): string[] =>
  knownEvents().flatMap((event) => [event, ...actionsOf(event).map((action) => `${event}.${action}`)])

/**
 * Of these names, those that are not known. A name that GitHub has used counts as known, because GitHub may have added
 * it after this version.
 * @param used Events, and `event.action`, from GitHub's answers and deliveries. For an unknown event, any action counts
 *   as known if the event does.
 */
export function unknownNames(names: readonly string[], used: ReadonlySet<string> = new Set()): string[] {
  const isUsed = (name: string, [event] = splitName(name)) =>
    used.has(name) || (!isKnownEvent(event) && used.has(event))
  return [...new Set(names)].filter((name) => !isKnownName(name) && !isUsed(name))
}

/** The unknown names that this process has reported. It reports each of them once. */
export const reportedNames: Set<string> = new Set()

/**
 * What to do about an unknown name, which is either mistyped or new.
 * @param ifNew What to do if GitHub added the event after this version.
 * @param candidates The names to suggest. Default: all known names.
 */
export function cureForUnknown(name: string, ifNew: string, candidates: readonly string[] = knownNames()): string {
  const correction = suggestion(name, candidates).trimStart() || 'Check the spelling.'
  return `${correction} If GitHub added this event after this version of hookserver, ${ifNew}`
}

/** A sentence about an unknown name, and what to do. */
export const describeUnknown = (name: string, ifNew: string, candidates?: readonly string[]): string =>
  `Unknown event "${name}". ${cureForUnknown(name, ifNew, candidates)}`

/** `issues.opened` as `['issues', 'opened']`. No event has a dot, but actions of `repository_dispatch` may. */
export function splitName(name: string): [event: string, action?: string] {
  const dot = name.indexOf('.')
  return dot < 0 ? [name] : [name.slice(0, dot), name.slice(dot + 1)]
}

/**
 * The commit that a push moves its ref to. The push of an annotated tag has the object of the tag in `after`, and the
 * commit only in `head_commit`.
 */
export const pushedCommit = (payload: Json): string | undefined =>
  (textIn(payload, 'ref')?.startsWith('refs/tags/') ? textIn(objectIn(payload, 'head_commit'), 'id') : undefined) ??
  textIn(payload, 'after')
