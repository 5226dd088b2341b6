/** The inbox contract on the sources, without threads: `contract.campaign.ts` tests the built store with its threads. */
import { sqlite } from '../../src/sqlite/index.ts'
import { describeBasicContract, describeContract } from './contract-suite.ts'

describeContract('the inbox contract, SQLite', sqlite)
describeBasicContract('the inbox contract, SQLite with only the capabilities that Hooks needs', sqlite)
