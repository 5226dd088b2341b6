import { afterAll, beforeAll, describe, test } from 'vitest'
import { inboxContract } from '../../src/testing/inbox-contract/index.ts'
import { postgresHost } from './contract-host.ts'
import { Schemas } from './schemas.ts'
import { type PostgresServer, startPostgres } from './server.ts'

let server: PostgresServer
let schemas: Schemas

beforeAll(async () => {
  server = await startPostgres('max_connections=400', 'fsync=off') // no test simulates a power failure
  schemas = new Schemas(server.url)
}, 60_000)

afterAll(async () => {
  await schemas.close()
  await server.stop()
}, 60_000)

/** Each case has schemas of its own. Several cases run at a time, because most of them wait. */
describe.concurrent('the inbox contract, Postgres', () => {
  test.for(inboxContract)('$id: $name', { timeout: 180_000 }, async ({ run }) => {
    const host = postgresHost(server.url, schemas)
    try {
      await run(host)
    } finally {
      await host.clean()
    }
  })
})
