/** Runs the contract with the writer and the maintenance in the test's own thread, which also measures their coverage. */
import { sqlite } from '../../src/sqlite/index.ts'
import { describeContract } from './contract-suite.ts'

describeContract('the inbox contract, SQLite in one thread', sqlite)
