import type { Count } from './counts.ts'
import type { GuidLookup, MissedDelivery } from './missed-deliveries.ts'
import type { ProcessInfo, RegisteredProcess } from './processes.ts'
import type { Rejection } from './records.ts'

/** What an inbox stores besides deliveries. */
export interface Metadata {
  /** Stores rejected requests, and keeps the newest 1,000. `addCounts` counts them. */
  recordRejections(rejections: readonly Rejection[]): Promise<void>
  /** Adds to the counts by minute and by hour and, for rejected requests, to the totals by code. */
  addCounts(counts: readonly Count[]): Promise<void>

  /** Those of the GUIDs that are stored under this hook, or were and have been pruned. */
  knownGuids(lookup: GuidLookup): Promise<string[]>
  /** Records missed deliveries, or their new states. */
  saveMissedDeliveries(missedDeliveries: readonly MissedDelivery[]): Promise<void>
  /** The newest first, and all that can still be filled; of those that ended the old ones are left out. */
  missedDeliveries(): Promise<MissedDelivery[]>

  /**
   * Acquires or renews a lease, for work that one process may do at a time.
   * @param ms Milliseconds until it expires.
   * @returns whether the holder has it.
   */
  lease(name: string, holder: string, ms: number): Promise<boolean>
  /** When this inbox was created, in milliseconds since 1970. */
  createdAt(): Promise<number>

  /** Sets the text of a key. Processes keep their state across restarts here. */
  setValue(key: string, text: string): Promise<void>
  getValue(key: string): Promise<string | undefined>
  /**
   * Sets the text of a key if it still is the expected one (`undefined`: none), so that of two processes that change it
   * at once, neither overwrites the other's change.
   * @returns whether it was set.
   */
  compareAndSet(key: string, expected: string | undefined, text: string): Promise<boolean>

  /** Registers a process, or renews its registration, which expires after a minute. */
  heartbeat(process: ProcessInfo): Promise<void>
  unregister(id: string): Promise<void>
  /** The registered processes, in the order in which they started. */
  processes(): Promise<RegisteredProcess[]>
}
