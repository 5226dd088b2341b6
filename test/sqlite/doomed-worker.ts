/** The process that the inbox contract kills: `doomed-worker.ts <file of the inbox> <its work, as JSON>`. */
import { sqlite } from '../../dist/sqlite/index.js'
import { workUntilKilled } from '../../src/testing/inbox-contract/doomed-worker.ts' // not index.ts, which loads all cases
import { contractOptions } from './contract-host.ts'

const [path = '', work = ''] = process.argv.slice(2)
await workUntilKilled(sqlite(path, contractOptions), JSON.parse(work))
