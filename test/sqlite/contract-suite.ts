import { describe, test } from 'vitest'
import type { sqlite } from '../../src/sqlite/index.ts'
import { inboxContract } from '../../src/testing/inbox-contract/index.ts'
import { sqliteHost } from './contract-host.ts'

/** The inbox contract, each case with a store of its own. */
export function describeContract(name: string, openFile: typeof sqlite): void {
  describe(name, () => {
    test.for(inboxContract)('$id: $name', { timeout: 180_000 }, async ({ run }) => {
      const host = sqliteHost(openFile)
      try {
        await run(host)
      } finally {
        await host.clean()
      }
    })
  })
}
