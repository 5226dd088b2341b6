/** An AWS Lambda function that only stores deliveries, in PostgreSQL. docs/cookbook/lambda-postgres.md explains it. */
import { Hooks } from 'hookserver'
import { hookserver, type LambdaHandler } from 'hookserver/lambda'
import { postgres } from 'hookserver/postgres'

const inbox = postgres(process.env.DATABASE_URL ?? '', {
  migrate: false, // `npx hookserver migrate` has created the tables
  maintenance: false, // no thread: the workers prune, and take over the tasks of dead workers
  connections: 3, // of each instance of the function
  connectTimeout: '2s', // with `statementTimeout`, less than the 9 s of a reply
  statementTimeout: '4s',
})
const hooks = new Hooks({
  inbox,
  work: false, // this process runs no handlers
  ranges: process.env.HOOK_RANGES?.split(','), // HOOK_RANGES=127.0.0.1 to try it; the default is GitHub's addresses
})

export const handler: LambdaHandler = hookserver(hooks)
