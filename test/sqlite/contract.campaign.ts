/** The inbox contract on the built store, with its threads. */
import { afterAll, beforeAll } from 'vitest'
import { sqlite } from '../../dist/sqlite/index.js'
import { reuseThreads } from '../runtime/reused-threads.ts'
import { describeContract } from './contract-suite.ts'

describeContract('the inbox contract, SQLite with threads', sqlite)

let endThreads: () => Promise<void>
beforeAll(() => {
  endThreads = reuseThreads()
})
afterAll(() => endThreads())
