/** The model passes the parts of the inbox contract that a simulation needs. */
import { describe, test } from 'vitest'
import type { HandlerPolicy, Store } from '../../src/inbox/inbox.ts'
import type { ContractStore, InboxContractCase, InboxContractHost } from '../../src/testing/inbox-contract/case.ts'
import { claimingCases } from '../../src/testing/inbox-contract/claiming.ts'
import { conflictCases } from '../../src/testing/inbox-contract/conflicts.ts'
import { dueTimeCases } from '../../src/testing/inbox-contract/due-times.ts'
import { duplicateCases } from '../../src/testing/inbox-contract/duplicates.ts'
import { fairnessCases } from '../../src/testing/inbox-contract/fairness.ts'
import { handlerCases } from '../../src/testing/inbox-contract/handlers.ts'
import { identityCases } from '../../src/testing/inbox-contract/identity.ts'
import { leaseCases } from '../../src/testing/inbox-contract/leases.ts'
import { operatingCases } from '../../src/testing/inbox-contract/operating.ts'
import { orderCases } from '../../src/testing/inbox-contract/order.ts'
import { orderPlaceCases } from '../../src/testing/inbox-contract/order-places.ts'
import { pausingCases } from '../../src/testing/inbox-contract/pausing.ts'
import { rearmingCases } from '../../src/testing/inbox-contract/rearming.ts'
import { matchingCases } from '../../src/testing/inbox-contract/record-matches.ts'
import { releaseCases } from '../../src/testing/inbox-contract/release.ts'
import { replayCases } from '../../src/testing/inbox-contract/replays.ts'
import { retryCases } from '../../src/testing/inbox-contract/retries.ts'
import { stateCases } from '../../src/testing/inbox-contract/states.ts'
import { ModelData } from './model/data.ts'
import { type ModelConnection, ModelInbox } from './model/inbox.ts'

const settings = { heartbeat: 20, vanishAfter: 1 }

/** Milliseconds that a process takes to start. */
const startTime = 500

/** The groups of cases about what workers, receivers and operators use. */
const cases: readonly InboxContractCase[] = [
  ...[identityCases, duplicateCases, rearmingCases, conflictCases, replayCases, matchingCases, stateCases],
  ...[handlerCases, claimingCases, retryCases, leaseCases, releaseCases, orderCases, orderPlaceCases],
  ...[pausingCases, operatingCases, dueTimeCases, fairnessCases],
].flat()

/** Cases that search words, or values in payloads, or that import deliveries. */
const notModelled = ['bulk', 'bulk-paths', 'start-later-import', 'fair-imported']

describe.concurrent('the inbox contract, model', () => {
  test.for(cases.filter(({ id }) => !notModelled.includes(id)))('$id: $name', async ({ run }) => {
    const inboxes: ModelInbox[] = []
    const host: InboxContractHost = { create: async () => newStore(inboxes) }
    try {
      await run(host)
    } finally {
      for (const inbox of inboxes) await inbox.close()
    }
  })
})

function newStore(inboxes: ModelInbox[]): ContractStore {
  const connection: ModelConnection = {
    ...{ data: new ModelData(), listeners: new Set(), settings },
    send: async (_method, carryOut) => carryOut(),
    run: (work) => work(),
  }
  const open = async (): Promise<Store> => {
    const inbox = new ModelInbox(connection)
    inboxes.push(inbox)
    return inbox as unknown as Store
  }
  return {
    open,
    /** Without heartbeats, a worker is dead. The worker claims as late as a process that first has to start. */
    async startWorker({ handlers, wanted }: { handlers: readonly HandlerPolicy[]; wanted: Record<string, number> }) {
      const inbox = await open()
      const worker = await inbox.registerWorker(handlers)
      const claimed = await inbox.claim(worker, { wanted, bytes: Number.MAX_SAFE_INTEGER, now: Date.now() + startTime })
      return { worker, claimed, kill: () => inbox.close() }
    },
  }
}
