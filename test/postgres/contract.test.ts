/** The inbox contract on the sources, without threads: `contract.campaign.ts` tests the built store with its threads. */
import { afterAll, beforeAll } from 'vitest'
import { postgres } from '../../src/postgres/index.ts'
import { describeContract } from './contract-suite.ts'
import { reuseConnections } from './reused-connections.ts'

describeContract('the inbox contract, PostgreSQL', postgres)

let closeConnections: () => Promise<void>
beforeAll(() => {
  closeConnections = reuseConnections()
})
afterAll(() => closeConnections()) // before the server stops: the last hook of a file runs first
