import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import type { Delivery } from '../../src/index.ts'
import { type EventName, eventNames, type TestHandler } from '../campaign/handlers.ts'

/** The versions of the deployed module. Both also have the handlers `testHandlers`, which do not change. */
export const versions = [1, 2] as const
export type Version = (typeof versions)[number]

/** The handler with a different `attempts` in each version. */
export const limited = 'limited'
export const attemptsOf: Readonly<Record<Version, number>> = { 1: 4, 2: 2 }

/** The handler with a different `concurrency` in each version. */
export const narrow = 'narrow'
export const concurrencyOf: Readonly<Record<Version, number>> = { 1: 1, 2: 3 }

/** The handlers whose option `order` differs: only version 2 has it, or the versions have different order keys. */
export const reordered = ['order-added', 'order-changed'] as const

/** The order keys of a version. There are few, so deliveries often have to wait for another one. */
const keyOf = (version: Version, { guid }: Delivery): string =>
  `${version}: ${Number.parseInt(guid.slice(0, 1), 16) % 3}`

const orderedEvents: readonly EventName[] = ['push', 'issues.opened', 'star.created']

/**
 * The handlers of a version that the other version does not have, or has with other options.
 * @param repaired A file. Until it exists, some handlers fail for some deliveries.
 */
export function changedHandlers(version: Version, repaired: string): TestHandler[] {
  const fails = ({ guid }: Delivery): void => {
    if (/[0-7]$/.test(guid) && !existsSync(repaired)) throw new Error('The cause is not repaired yet')
  }
  const order = (delivery: Delivery) => keyOf(version, delivery)
  const isNew = version === 2
  return [
    // Slow, so that tasks wait for a process of this version.
    {
      name: isNew ? 'new-name' : 'old-name',
      events: eventNames,
      options: { concurrency: 1 },
      work: () => setTimeout(100),
    },
    {
      name: isNew ? 'added' : 'removed',
      events: isNew ? ['issues.opened', 'ping'] : ['issues.opened'],
      options: { attempts: 1 },
      work: fails,
    },
    { name: 'order-added', events: orderedEvents, options: isNew ? { order } : {}, work: () => setTimeout(50) },
    { name: 'order-changed', events: orderedEvents, options: { order }, work: () => setTimeout(50) },
    { name: limited, events: ['pull_request.opened'], options: { attempts: attemptsOf[version] }, work: fails },
    { name: narrow, events: ['ping'], options: { concurrency: concurrencyOf[version] }, work: () => setTimeout(50) },
  ]
}

/** The names of the handlers of a version that `changedHandlers` returns for an event. */
export function changedNames(version: Version, event: EventName): string[] {
  return changedHandlers(version, '').flatMap(({ name, events }) => (events.includes(event) ? name : []))
}
