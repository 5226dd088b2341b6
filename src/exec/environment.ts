import type { Delivery } from '../delivery.ts'
import type { Target } from './target.ts'

/**
 * The only variables that a program inherits. The others may hold the webhook's secret and tokens, which a program that
 * builds other people's code must not see unless the developer passes them on.
 */
const inherited = ['PATH', 'HOME', 'LANG']

/** In characters. Longer values are left out: Linux starts no program with a variable of 128 KiB. */
const maxValueLength = 1024

/** The environment of a program: inherited variables, then the developer's, then those that describe the delivery. */
export function environmentFor(
  delivery: Delivery,
  target: Target,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const ownVariables = inherited.map((name) => [name, process.env[name]] as const)
  const variables = Object.entries(variablesOf(delivery, target)).filter(([, value]) => isValidValue(value))
  return Object.fromEntries([...ownVariables, ...Object.entries(given), ...variables].filter(isKnown))
}

/** The properties of a delivery, by the names of their variables. */
function variablesOf(delivery: Delivery, target: Target): Record<string, string | undefined> {
  return {
    HOOKSERVER_EVENT: delivery.event,
    HOOKSERVER_ACTION: delivery.action,
    HOOKSERVER_REPOSITORY: delivery.repository,
    HOOKSERVER_REF: target.ref,
    HOOKSERVER_SHA: target.sha,
    HOOKSERVER_SENDER: delivery.sender,
    HOOKSERVER_GUID: delivery.guid,
  }
}

/** Whether an environment can hold the value: with a NUL, `spawn` would reject the whole program. */
function isValidValue(value: string | undefined): boolean {
  return value !== undefined && value.length <= maxValueLength && !value.includes('\0')
}

function isKnown(entry: readonly [string, string | undefined]): entry is readonly [string, string] {
  return entry[1] !== undefined
}
