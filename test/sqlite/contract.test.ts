import { sqlite } from '../../dist/sqlite/index.js'
import { describeContract } from './contract-suite.ts'

describeContract('the inbox contract, SQLite', sqlite)
