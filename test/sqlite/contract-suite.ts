import { describe, test } from 'vitest'
import type { sqlite } from '../../src/sqlite/index.ts'
import { inboxContract } from '../../src/testing/inbox-contract/index.ts'
import { sqliteHost } from './contract-host.ts'

/** The inbox contract. Each case has stores of its own. Several cases run at a time, because most of them wait. */
export function describeContract(name: string, openFile: typeof sqlite): void {
  describe.concurrent(name, () => {
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
