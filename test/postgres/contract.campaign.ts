/** The inbox contract on the built store, with its threads. */
import { postgres } from '../../dist/postgres/index.js'
import { describeContract } from './contract-suite.ts'

describeContract('the inbox contract, PostgreSQL with threads', postgres)
