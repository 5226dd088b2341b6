import type { WithCapabilities } from '../../inbox/capabilities.ts'
import type { BasicStore, Capability, TaskQueue } from '../../inbox/inbox.ts'
import { attemptStatsCases } from './attempt-stats.ts'
import { auditLogCases } from './audit-log.ts'
import type { InboxContractCase } from './case.ts'
import { changeCases } from './changes.ts'
import { writableCases } from './check-writable.ts'
import { claimedAheadCases } from './claimed-ahead.ts'
import { claimingCases } from './claiming.ts'
import { closingCases } from './closing.ts'
import { conflictCases } from './conflicts.ts'
import { countCases } from './counts.ts'
import { type DoomedWork, type DoomedWorker, startDoomedWorker, workUntilKilled } from './doomed-worker.ts'
import { dueTimeCases } from './due-times.ts'
import { duplicateCases } from './duplicates.ts'
import { failureGroupCases } from './failure-groups.ts'
import { failureCases } from './failures.ts'
import { fairnessCases } from './fairness.ts'
import { filterCases } from './filters.ts'
import { handlerLoadCases } from './handler-loads.ts'
import { handlerCases } from './handlers.ts'
import { identityCases } from './identity.ts'
import { importCases } from './import.ts'
import { leaseCases } from './leases.ts'
import { missedDeliveryCases } from './missed-deliveries.ts'
import { operatingCases } from './operating.ts'
import { orderCases } from './order.ts'
import { orderPlaceCases } from './order-places.ts'
import { pagingCases } from './paging.ts'
import { overviewCases } from './pauses-and-values.ts'
import { pausingCases } from './pausing.ts'
import { processCases } from './processes.ts'
import { rearmingCases } from './rearming.ts'
import { matchingCases } from './record-matches.ts'
import { rejectionCases } from './rejections.ts'
import { releaseCases } from './release.ts'
import { replayCases } from './replays.ts'
import { retentionCases } from './retention.ts'
import { retryCases } from './retries.ts'
import { searchCases } from './search.ts'
import { searchTextCases } from './search-texts.ts'
import { sourceCases } from './sources.ts'
import { stateCases } from './states.ts'
import { timeCountCases } from './time-counts.ts'
import { valueCases } from './values.ts'

export type { ContractStore, InboxContractCase, InboxContractHost } from './case.ts'
export type { DoomedWork, DoomedWorker } from './doomed-worker.ts'

/** The requirements for every store. */
export interface InboxContract {
  /** The requirements for a store with all capabilities. */
  readonly cases: readonly InboxContractCase[]
  /**
   * The requirements for a store that receives deliveries and hands out their tasks, and has these further capabilities.
   * Without a name: the requirements for a store that has only what `Hooks` needs.
   */
  casesFor<const Name extends Capability = never>(
    ...further: readonly Name[]
  ): readonly InboxContractCase<BasicStore & WithCapabilities<Name>>[]
  /**
   * Starts a program that calls `workUntilKilled`. Resolves when tasks are claimed.
   * @throws {Error} (rejects) if the program ends first.
   */
  startWorker(file: string, args: readonly string[]): Promise<DoomedWorker>
  /** Registers a worker, claims the due tasks, reports them, and waits to be killed. */
  workUntilKilled(inbox: TaskQueue, work: DoomedWork): Promise<void>
}

const cases: readonly InboxContractCase[] = [
  ...identityCases,
  ...duplicateCases,
  ...rearmingCases,
  ...conflictCases,
  ...replayCases,
  ...matchingCases,
  ...sourceCases,
  ...stateCases,
  ...handlerCases,
  ...claimingCases,
  ...claimedAheadCases,
  ...fairnessCases,
  ...retryCases,
  ...dueTimeCases,
  ...leaseCases,
  ...releaseCases,
  ...orderCases,
  ...orderPlaceCases,
  ...pausingCases,
  ...operatingCases,
  ...pagingCases,
  ...filterCases,
  ...searchCases,
  ...searchTextCases,
  ...overviewCases,
  ...attemptStatsCases,
  ...failureCases,
  ...failureGroupCases,
  ...auditLogCases,
  ...valueCases,
  ...changeCases,
  ...countCases,
  ...handlerLoadCases,
  ...timeCountCases,
  ...missedDeliveryCases,
  ...processCases,
  ...importCases,
  ...rejectionCases,
  ...writableCases,
  ...retentionCases,
  ...closingCases,
]

function casesFor<const Name extends Capability = never>(
  ...further: readonly Name[]
): readonly InboxContractCase<BasicStore & WithCapabilities<Name>>[] {
  const has: ReadonlySet<Capability> = new Set<Capability>(['DeliveryStore', 'TaskQueue', ...further])
  const all: readonly InboxContractCase<never>[] = cases
  return all.filter(({ needs = [] }) => needs.every((name) => has.has(name)))
}

/**
 * The tests of a store. Each case creates its stores through the host. Some cases wait until the store notices that a
 * process was killed, so give each case that time and one minute more.
 */
export const inboxContract: InboxContract = { cases, casesFor, startWorker: startDoomedWorker, workUntilKilled }
