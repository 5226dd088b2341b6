import { afterAll, beforeAll } from 'vitest'
import { type PostgresServer, startPostgres } from './server.ts'

/** Milliseconds. A start takes two seconds, and much longer on a busy machine. */
const startTimeout = 60_000

/** A PostgreSQL server for the tests of a file. */
export interface Databases {
  /** Set when the server has started. */
  readonly server: PostgresServer
  /** Creates an empty database. @returns its URL. */
  create(): Promise<string>
}

/** @param flags Settings of the server, as `name=value`. */
export function databases(...flags: string[]): Databases {
  let server: PostgresServer | undefined
  let created = 0
  beforeAll(async () => {
    server = await startPostgres(...flags)
  }, startTimeout)
  afterAll(() => server?.stop(), startTimeout)
  const started = () => {
    if (!server) throw new Error('The tests have not begun')
    return server
  }
  return {
    get server() {
      return started()
    },
    create: () => started().create(`test_${created++}`),
  }
}
