import { describe, test } from 'vitest'
import type { BasicStore, Capability } from '../../src/inbox/inbox.ts'
import type { sqlite } from '../../src/sqlite/index.ts'
import { type InboxContractHost, inboxContract } from '../../src/testing/inbox-contract/index.ts'
import { withOnly } from '../inbox/stores.ts'
import { sqliteHost } from './contract-host.ts'

/**
 * The inbox contract. Each case creates its stores. If a case names capabilities, its stores lack the
 * others. Several cases run at a time, because most of them wait.
 */
export function describeContract(name: string, openFile: typeof sqlite): void {
  describe.concurrent(name, () => {
    test.for(inboxContract.cases)('$id: $name', { timeout: 180_000 }, async ({ run, needs }) => {
      const host = sqliteHost(openFile)
      try {
        await run(needs ? limited(host, needs) : host)
      } finally {
        await host.clean()
      }
    })
  })
}

/** The inbox contract for a store with only the capabilities that `Hooks` needs. */
export function describeBasicContract(name: string, openFile: typeof sqlite): void {
  describe.concurrent(name, () => {
    test.for(inboxContract.casesFor())('$id: $name', { timeout: 180_000 }, async ({ run }) => {
      const host = sqliteHost(openFile)
      try {
        await run(limited(host, []))
      } finally {
        await host.clean()
      }
    })
  })
}

/** A host whose stores have only the given capabilities, besides those that `Hooks` needs. */
function limited<Store extends BasicStore>(
  host: InboxContractHost,
  further: readonly Capability[],
): InboxContractHost<Store> {
  return {
    async create() {
      const store = await host.create()
      return {
        open: async () => withOnly(await store.open(), 'DeliveryStore', 'TaskQueue', ...further) as Store,
        startWorker: (work) => store.startWorker(work),
      }
    },
  }
}
