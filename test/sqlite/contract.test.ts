import { describeContract } from './contract-suite.ts'

describeContract('the inbox contract, SQLite')
