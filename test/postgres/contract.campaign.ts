/** The inbox contract on the built store, with its threads. */
import { afterAll, beforeAll } from 'vitest'
import { postgres } from '../../dist/postgres/index.js'
import { reuseThreads } from '../runtime/reused-threads.ts'
import { describeContract } from './contract-suite.ts'

describeContract('the inbox contract, PostgreSQL with threads', postgres)

let endThreads: () => Promise<void>
beforeAll(() => {
  endThreads = reuseThreads()
})
afterAll(() => endThreads())
