/** The inbox contract on the built store, with its threads. */
import { sqlite } from '../../dist/sqlite/index.js'
import { describeContract } from './contract-suite.ts'

describeContract('the inbox contract, SQLite with threads', sqlite)
