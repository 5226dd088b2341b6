/** The process that the contract kills. */
import { postgres } from '../../dist/postgres/index.js'
import { workUntilKilled } from '../../src/testing/inbox-contract/doomed-worker.ts' // not index.ts, which loads all cases
import { contractOptions } from './contract-host.ts'

const [, , url = '', schema = '', work = ''] = process.argv
await workUntilKilled(postgres(url, contractOptions(schema)), JSON.parse(work))
