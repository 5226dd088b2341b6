import { effortCases } from './attempt-stats.ts'
import type { InboxContractCase } from './case.ts'
import { changeCases } from './changes.ts'
import { writableCases } from './check-writable.ts'
import { claimingCases } from './claiming.ts'
import { closingCases } from './closing.ts'
import { conflictCases } from './conflicts.ts'
import { countCases } from './counts.ts'
import { duplicateCases } from './duplicates.ts'
import { failureCases } from './failures.ts'
import { filterCases } from './filters.ts'
import { handlerCases } from './handlers.ts'
import { identityCases } from './identity.ts'
import { restoringCases } from './import.ts'
import { leaseCases } from './leases.ts'
import { missedDeliveryCases } from './missed-deliveries.ts'
import { operatingCases } from './operating.ts'
import { orderCases } from './order.ts'
import { orderPlaceCases } from './order-places.ts'
import { pagingCases } from './paging.ts'
import { standingCases } from './pauses-and-values.ts'
import { pausingCases } from './pausing.ts'
import { presenceCases } from './processes.ts'
import { rearmingCases } from './rearming.ts'
import { dispatchingCases } from './record-matches.ts'
import { refusingCases } from './rejections.ts'
import { dismissalCases } from './release.ts'
import { replayCases } from './replays.ts'
import { retentionCases } from './retention.ts'
import { retryCases } from './retries.ts'
import { searchCases } from './search.ts'
import { stateCases } from './states.ts'
import { valueCases } from './values.ts'

export type { ContractStore, InboxContractCase, InboxContractHost } from './case.ts'
export { type DoomedWork, type DoomedWorker, startDoomedWorker, workUntilKilled } from './doomed-worker.ts'

/**
 * What every store must do. A case makes stores of its own through the host; some wait until the store has noticed by
 * itself that a process was killed, so give each as long as that may take, and a minute more.
 */
export const inboxContract: readonly InboxContractCase[] = [
  ...identityCases,
  ...duplicateCases,
  ...rearmingCases,
  ...conflictCases,
  ...replayCases,
  ...dispatchingCases,
  ...stateCases,
  ...handlerCases,
  ...claimingCases,
  ...retryCases,
  ...leaseCases,
  ...dismissalCases,
  ...orderCases,
  ...orderPlaceCases,
  ...pausingCases,
  ...operatingCases,
  ...pagingCases,
  ...filterCases,
  ...searchCases,
  ...standingCases,
  ...effortCases,
  ...failureCases,
  ...valueCases,
  ...changeCases,
  ...countCases,
  ...missedDeliveryCases,
  ...presenceCases,
  ...restoringCases,
  ...refusingCases,
  ...writableCases,
  ...retentionCases,
  ...closingCases,
]
