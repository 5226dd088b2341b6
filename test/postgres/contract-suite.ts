import { afterAll, beforeAll, describe, test } from 'vitest'
import type { postgres } from '../../src/postgres/index.ts'
import { inboxContract } from '../../src/testing/inbox-contract/index.ts'
import { postgresHost } from './contract-host.ts'
import { Schemas } from './schemas.ts'
import { type PostgresServer, startPostgres } from './server.ts'

/**
 * The inbox contract. Each case has schemas of its own. Several cases run at a time, because most of them wait.
 * @param flags Settings of the server, as `name=value`.
 */
export function describeContract(name: string, openDatabase: typeof postgres, ...flags: string[]): void {
  let server: PostgresServer
  let schemas: Schemas

  beforeAll(async () => {
    server = await startPostgres('max_connections=400', 'fsync=off', ...flags) // no test simulates a power failure
    schemas = new Schemas(server.url)
  }, 60_000)

  afterAll(async () => {
    await schemas.close()
    await server.stop()
  }, 60_000)

  describe.concurrent(name, () => {
    test.for(inboxContract.cases)('$id: $name', { timeout: 180_000 }, async ({ run }) => {
      const host = postgresHost(server.url, schemas, openDatabase)
      try {
        await run(host)
      } finally {
        await host.clean()
      }
    })
  })
}
