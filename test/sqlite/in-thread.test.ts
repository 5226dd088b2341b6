/** The contract once more with the engine in the test's own thread, where its coverage counts. */
import { describe, test, vi } from 'vitest'
import { inboxContract } from '../../src/testing/inbox-contract/index.ts'
import { sqliteHost } from './contract-host.ts'

vi.mock('../../src/sqlite/link.ts', async (original) => {
  const { InThreadLink } = await import('./in-thread-link.ts')
  return { ...(await original<object>()), Link: InThreadLink }
})

describe('the inbox contract, SQLite in one thread', () => {
  test.for(inboxContract)('$id: $name', { timeout: 180_000 }, async ({ run }) => {
    const host = sqliteHost()
    try {
      await run(host)
    } finally {
      await host.clean()
    }
  })
})
