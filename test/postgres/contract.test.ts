/** The inbox contract on the sources, without threads: `contract.campaign.ts` tests the built store with its threads. */
import { afterAll, beforeAll } from 'vitest'
import { postgres } from '../../src/postgres/index.ts'
import { describeContract } from './contract-suite.ts'
import { reuseConnections } from './reused-connections.ts'

// Without this setting, a session plans a statement anew in each of its first five executions, which takes a quarter of the
// CPU of these tests. `contract.campaign.ts` has the usual plans.
describeContract('the inbox contract, PostgreSQL', postgres, 'plan_cache_mode=force_generic_plan')

let closeConnections: () => Promise<void>
beforeAll(() => {
  closeConnections = reuseConnections()
})
afterAll(() => closeConnections()) // before the server stops: the last hook of a file runs first
