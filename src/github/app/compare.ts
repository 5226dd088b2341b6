/** Compares an App with the needs of a module's handlers. It sends no requests. */
import {
  eventPermissions,
  eventsWithoutPermission,
  type PermissionLevel,
  type Permissions,
} from '../event-permissions.ts'
import type { AppDetails, InstallationDetails } from './details.ts'
import type { AppNeeds } from './needs.ts'
import { includesLevel } from './permission-levels.ts'

export interface AppDifference {
  missingPermissions: readonly PermissionDifference[]
  missingEvents: readonly string[]
  /** Needed events that GitHub's API does not list. Only the owner sees whether the App subscribes to them. */
  hiddenEvents: readonly string[]
  unneededPermissions: readonly PermissionDifference[]
  unneededEvents: readonly string[]
  /** The accounts that have not accepted all permissions of the App yet. */
  outdatedAccounts: readonly string[]
}

export interface PermissionDifference {
  permission: string
  has: PermissionLevel | undefined
  needs: PermissionLevel | undefined
}

export function compareApp(
  needs: Pick<AppNeeds, 'events' | 'permissions'>,
  { permissions, events }: Pick<AppDetails, 'permissions' | 'events'>,
  installations: readonly Pick<InstallationDetails, 'account' | 'permissions'>[],
): AppDifference {
  const isHidden = (event: string) => eventsWithoutPermission.includes(event)
  const wanted = Object.entries(needs.permissions)
  const missing = wanted.filter(([name, level]) => !includesLevel(permissions[name], level))
  const alternatives = new Set(needs.events.flatMap((event) => eventPermissions[event]?.alternatives ?? []))
  return {
    missingPermissions: missing
      // The events need no more than to read. A permission to write is for requests, which accept no other permission.
      .filter(([name, level]) => level !== 'read' || !hasAlternative(name, needs.events, permissions))
      .map(([permission, level]) => ({ permission, has: permissions[permission], needs: level })),
    missingEvents: needs.events.filter((event) => !isHidden(event) && !events.includes(event)),
    hiddenEvents: needs.events.filter(isHidden),
    unneededPermissions: Object.entries(permissions)
      .filter(([name, level]) => !includesLevel(needs.permissions[name], level) && !alternatives.has(name))
      .map(([permission, has]) => ({ permission, has, needs: needs.permissions[permission] })),
    unneededEvents: events.filter((event) => !needs.events.includes(event)),
    outdatedAccounts: installations
      .filter((installation) => !hasAll(installation.permissions, permissions))
      .map(({ account }) => account),
  }
}

const hasAll = (granted: Permissions, needed: Permissions): boolean =>
  Object.entries(needed).every(([name, level]) => includesLevel(granted[name], level))

/** Whether each event that needs the permission accepts another permission instead, and the App has that one. */
function hasAlternative(permission: string, events: readonly string[], permissions: Permissions): boolean {
  const needing = events.map((event) => eventPermissions[event]).filter((one) => one?.permission === permission)
  return needing.length > 0 && needing.every((one) => one?.alternatives?.some((name) => permissions[name]))
}
