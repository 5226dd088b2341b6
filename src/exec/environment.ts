import type { Delivery } from '../delivery.ts'
import type { Target } from './target.ts'

/**
 * What a program gets of this process's environment. All else stays here: the webhook's secret and tokens among it,
 * which a program that builds other people's code must not see unless the developer hands them on.
 */
const inherited = ['PATH', 'HOME', 'LANG']

/** In characters. Longer values are left out: Linux starts no program with one of 128 KiB, and a cut one is another. */
const longestValue = 1024

/** The environment of a program: what is inherited, over it what the developer gave, over that the facts. */
export function environmentFor(
  delivery: Delivery,
  target: Target,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const ours = inherited.map((name) => [name, process.env[name]] as const)
  const facts = Object.entries(factsOf(delivery, target)).filter(([, value]) => isFit(value))
  return Object.fromEntries([...ours, ...Object.entries(given), ...facts].filter(isKnown))
}

/** What is known of a delivery, by the names that scripts know it by. */
function factsOf(delivery: Delivery, target: Target): Record<string, string | undefined> {
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

/** Whether an environment can hold it: a NUL ends a value there, and `spawn` would refuse the whole program. */
function isFit(value: string | undefined): boolean {
  return value !== undefined && value.length <= longestValue && !value.includes('\0')
}

function isKnown(entry: readonly [string, string | undefined]): entry is readonly [string, string] {
  return entry[1] !== undefined
}
