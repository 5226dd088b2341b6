/** The contract once more with the engine in the test's own thread, where its coverage counts. */
import { vi } from 'vitest'
import { describeContract } from './contract-suite.ts'

vi.mock('../../src/sqlite/thread-client.ts', async (original) => {
  const { InThreadLink } = await import('./in-thread-link.ts')
  return { ...(await original<object>()), Link: InThreadLink }
})

describeContract('the inbox contract, SQLite in one thread')
