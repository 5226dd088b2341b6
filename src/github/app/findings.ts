/** Findings about an App: the permissions and events that it lacks for its handlers, and those that no handler needs. */
import { type Finding, failed, fine, warning } from '../../runtime/finding.ts'
import type { AppDifference, PermissionDifference } from './compare.ts'

/** @param good The result if nothing is missing. */
export function appFindings(difference: AppDifference, good: string): Finding[] {
  const { missingPermissions, missingEvents, hiddenEvents, unneededPermissions, unneededEvents } = difference
  const isFine = missingPermissions.length === 0 && missingEvents.length === 0
  return [
    ...(isFine ? [fine('App', good)] : []),
    ...missingPermissions.map((one) => failed('permission', lacks(one))),
    ...missingEvents.map((event) => failed('event', `the App does not subscribe to ${event}`)),
    ...hiddenEvents.map((event) =>
      warning('event', `GitHub's API does not show whether the App subscribes to ${event}`, 'look on its page'),
    ),
    ...unneededPermissions.map((one) => warning('permission', exceeds(one), 'remove it, or declare it in the module')),
    ...unneededEvents.map((event) => warning('event', `no handler needs ${event}`, 'unsubscribe, or add a handler')),
    ...difference.outdatedAccounts.map((account) =>
      warning('account', `${account} has not accepted all permissions of the App`, 'ask its owner to accept them'),
    ),
  ]
}

const lacks = ({ permission, has, needs }: PermissionDifference): string =>
  `${permission}: the handlers need ${needs}, the App has ${has ?? 'no access'}`

const exceeds = ({ permission, has, needs }: PermissionDifference): string =>
  `${permission}: the App has ${has}, the handlers need ${needs ?? 'no access'}`
