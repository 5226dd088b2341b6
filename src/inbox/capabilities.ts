import type { AuditLog } from './audit-log.ts'
import type { DeliveryReader } from './delivery-reader.ts'
import type { DeliveryStore } from './delivery-store.ts'
import type { FailureGroups } from './failure-groups.ts'
import type { MissedDeliveryStore } from './missed-deliveries.ts'
import type { Operations } from './operations.ts'
import type { ProcessStore } from './processes.ts'
import type { KeyValues, NamedLeases } from './shared-state.ts'
import type { Statistics } from './statistics.ts'
import type { TaskQueue } from './task-queue.ts'

/** The capabilities of a store. `inbox.ts` lists who needs which. */
export interface Capabilities {
  /** Stores deliveries before the reply. */
  DeliveryStore: DeliveryStore
  /** Hands out the tasks of handlers, and records their results. */
  TaskQueue: TaskQueue
  /** Lists, searches and shows deliveries. */
  DeliveryReader: DeliveryReader
  /** Retries and discards deliveries, and pauses handlers. */
  Operations: Operations
  /** Groups the unresolved failures by their error. */
  FailureGroups: FailureGroups
  /** Keeps the actions of operators. */
  AuditLog: AuditLog
  /** Knows which deliveries of GitHub's log the inbox has. */
  MissedDeliveryStore: MissedDeliveryStore
  /** Lets one process at a time do a piece of work. */
  NamedLeases: NamedLeases
  /** Keeps small values, such as the position in GitHub's log. */
  KeyValues: KeyValues
  /** Keeps counts, and the rejected requests. */
  Statistics: Statistics
  /** Lists the processes that use the inbox. */
  ProcessStore: ProcessStore
}

/** The name of a capability of a store. */
export type Capability = keyof Capabilities

/** All members of the named capabilities. */
export type WithCapabilities<Name extends Capability> = {
  [Each in Name]: (store: Capabilities[Each]) => void
}[Name] extends (store: infer All) => void
  ? All
  : never

type Members<Store> = { readonly [Name in keyof Store as undefined extends Store[Name] ? never : Name]: true }

/**
 * The members of each capability, except optional ones: the type rejects a table that lacks one. A store has a
 * capability if it has all of its members.
 */
const members: { readonly [Name in Capability]: Members<Capabilities[Name]> } = {
  DeliveryStore: { store: true, checkWritable: true },
  TaskQueue: {
    pollInterval: true,
    leaseDuration: true,
    registerWorker: true,
    updateWorker: true,
    releaseWorker: true,
    releaseLeases: true,
    match: true,
    countMatchAttempt: true,
    forgetMatchAttempts: true,
    claim: true,
    nextDueAt: true,
    load: true,
    finish: true,
  },
  DeliveryReader: {
    list: true,
    timeCounts: true,
    get: true,
    body: true,
    overview: true,
    values: true,
    failures: true,
    changes: true,
  },
  Operations: {
    retry: true,
    discard: true,
    importDeliveries: true,
    pause: true,
    resume: true,
    prune: true,
  },
  FailureGroups: { failureGroups: true, failureGroup: true, retryFailures: true, discardFailures: true },
  AuditLog: { recordAction: true, auditEntries: true },
  MissedDeliveryStore: {
    knownGuids: true,
    saveMissedDeliveries: true,
    missedDeliveries: true,
    createdAt: true,
  },
  NamedLeases: { lease: true },
  KeyValues: { setValue: true, getValue: true, compareAndSet: true },
  Statistics: { addCounts: true, counts: true, handlerLoads: true, recordRejections: true, rejections: true },
  ProcessStore: { heartbeat: true, unregister: true, processes: true },
}

export const capabilities = Object.keys(members) as readonly Capability[]

/** The names of the members of a capability. */
export function membersOf(capability: Capability): readonly string[] {
  return Object.keys(members[capability])
}

function missingMembers(store: object, capability: Capability): string[] {
  return membersOf(capability).filter((name) => (store as Record<string, unknown>)[name] === undefined)
}

export function hasCapability<Name extends Capability>(store: object, name: Name): store is Capabilities[Name] {
  return missingMembers(store, name).length === 0
}

/**
 * Checks that a store has capabilities.
 * @param user The subject of the error message: the part of hookserver that needs the capabilities.
 * @throws {TypeError} naming the missing capability and the missing members.
 */
export function requireCapabilities<Store extends object, Name extends Capability>(
  store: Store,
  names: readonly Name[],
  user: string,
): Store & WithCapabilities<Name> {
  for (const name of names) {
    const missing = missingMembers(store, name)
    if (missing.length === 0) continue
    throw new TypeError(`${user} needs an inbox with the capability ${name}; this inbox lacks ${missing.join(', ')}`)
  }
  return store as Store & WithCapabilities<Name>
}
