/** The events and permissions that an App needs for the handlers of a module. */
import { describeUnknown, isKnownName, splitName } from '../../events.ts'
import { isObject } from '../../runtime/json.ts'
import { suggestion } from '../../runtime/nearest.ts'
import {
  type EventPermission,
  enterpriseEvents,
  eventPermissions,
  eventsNotForApps,
  eventsOfEveryApp,
  eventsWithoutPermission,
  type PermissionLevel,
  type Permissions,
} from '../event-permissions.ts'
import { includesLevel, isLevel, manifestPermissions } from './permission-levels.ts'

export interface AppNeeds {
  /** The events to subscribe to, sorted. */
  events: readonly string[]
  permissions: Permissions
  /** The names of the handlers for these events: `issues.opened` for `issues`. */
  names: readonly string[]
  /** Sentences for the user: unknown permissions, and why a handler adds no event, or more events than its name says. */
  notes: readonly string[]
}

/** GitHub adds this permission to every App that can read a repository. */
const always: Permissions = { metadata: 'read' }

/**
 * @param names The names of the handlers: `event`, `event.action` or `*`.
 * @param given The permissions that the module declares. It has to declare write permissions, because the names of the
 *   handlers do not show whether a handler writes to GitHub.
 * @param subscribedEvents The events that GitHub lists for the App. So GitHub has them, even if this version does not
 *   know them or their permissions.
 */
export function needsOf(
  names: readonly string[],
  given: Permissions = {},
  subscribedEvents: readonly string[] = [],
): AppNeeds {
  const permissions: Record<string, PermissionLevel> = { ...always, ...given }
  const events = new Set<string>()
  const subscribed: string[] = []
  const notes = unknownPermissions(given)
  for (const name of sortedNames(names)) {
    const [event] = splitName(name)
    const needed = permissionFor(event)
    if (needed) addPermission(permissions, needed, levelFor(name, needed))
    if (needed || eventsWithoutPermission.includes(event) || subscribedEvents.includes(event)) {
      events.add(event)
      subscribed.push(name)
    } else if (!eventsOfEveryApp.includes(event)) notes.push(noteFor(event))
  }
  if (names.includes('*')) {
    const permitted = permittedEvents(permissions)
    const general = permitted.filter((event) => !enterpriseEvents.includes(event))
    for (const event of [...general, ...subscribedEvents]) events.add(event)
    const exception = general.length < permitted.length ? ', except those of Enterprise Cloud' : ''
    notes.push(`A handler for "*" subscribes to all ${events.size} events that these permissions allow${exception}`)
  }
  return { events: [...events].toSorted(), names: subscribed.toSorted(), permissions: sorted(permissions), notes }
}

export const permissionFor = (event: string): EventPermission | undefined =>
  Object.hasOwn(eventPermissions, event) ? eventPermissions[event] : undefined

/** Whether the permissions allow the subscription to an event. GitHub refuses a manifest with any other event. */
export function permits(permissions: Permissions, event: string): boolean {
  if (eventsWithoutPermission.includes(event)) return true
  const needed = permissionFor(event)
  return needed !== undefined && grants(permissions, needed, needed.level ?? 'read')
}

/** The events that these permissions allow. */
export const permittedEvents = (permissions: Permissions): string[] =>
  [...Object.keys(eventPermissions), ...eventsWithoutPermission].filter((event) => permits(permissions, event))

/** The permissions in the `config` of a module. @throws {Error} naming the module. */
export function readPermissions(module: string, given: unknown): Permissions {
  if (given === undefined) return {}
  const entries = isObject(given) ? Object.entries(given) : []
  if (isObject(given) && entries.every(([name, level]) => /^\w+$/.test(name) && isLevel(level))) {
    return Object.fromEntries(entries) as Permissions
  }
  const example = "{ issues: 'write' }, with the levels read, write or admin"
  throw new Error(`config.permissions of ${module}: expected an object such as ${example}`)
}

/** A sentence for each permission that this version of hookserver does not know. */
export const unknownPermissions = (permissions: Permissions): string[] =>
  Object.keys(permissions)
    .filter((name) => !manifestPermissions.has(name))
    .map((name) => {
      const correction = suggestion(name, [...manifestPermissions]).trimStart() || 'Check the spelling.'
      const ifNew = 'If GitHub added it after this version of hookserver, ignore this warning'
      return `Unknown permission "${name}" in config.permissions. ${correction} ${ifNew}`
    })

/**
 * The names, each once, without `*`. An event with alternative permissions needs only one of them. The names of such
 * events come last, so that `needsOf` first adds the permissions that other events need. If one of those permissions is
 * an alternative, `needsOf` adds no second one.
 */
function sortedNames(names: readonly string[]): string[] {
  const choices = (name: string) => permissionFor(splitName(name)[0])?.alternatives?.length ?? 0
  return [...new Set(names)].filter((name) => name !== '*').toSorted((a, b) => choices(a) - choices(b))
}

function levelFor(name: string, { level = 'read', writeActions = [] }: EventPermission): PermissionLevel {
  const [, action] = splitName(name)
  return action !== undefined && writeActions.includes(action) ? 'write' : level
}

function grants(permissions: Permissions, needed: EventPermission, level: PermissionLevel): boolean {
  const { permission, alternatives = [] } = needed
  return [permission, ...alternatives].some((name) => includesLevel({ ...always, ...permissions }[name], level))
}

function addPermission(
  permissions: Record<string, PermissionLevel>,
  needed: EventPermission,
  level: PermissionLevel,
): void {
  if (!grants(permissions, needed, level)) permissions[needed.permission] = level
}

function noteFor(event: string): string {
  if (eventsNotForApps.includes(event)) return `GitHub does not send "${event}" to Apps: use a webhook for it`
  if (isKnownName(event)) return `The permission for "${event}" is unknown: subscribe to the event on the App's page`
  const available = [...Object.keys(eventPermissions), ...eventsWithoutPermission]
  return describeUnknown(event, 'subscribe to it on the page of the App', available)
}

const sorted = (permissions: Permissions): Permissions =>
  Object.fromEntries(Object.entries(permissions).toSorted(([a], [b]) => (a < b ? -1 : 1)))
