import { afterAll, beforeAll } from 'vitest'
import { type PostgresServer, startPostgres } from './server.ts'

/** Milliseconds. A start takes two seconds, and much longer on a busy machine. */
const startTimeout = 60_000

/** Databases for the tests of a file. */
export interface Databases {
  /** Creates an empty database. @returns its URL. */
  create(): Promise<string>
}

let shared: Promise<PostgresServer> | undefined
let created = 0

/**
 * Databases on a server that all test files of this process share, because each server takes 0.2 s of CPU. It runs
 * without `fsync`, and stops when the process ends. The databases are deleted after the tests of the file. Tests that
 * crash a server, read its log or change its settings use `databaseServer`.
 */
export function databases(): Databases {
  let server: PostgresServer | undefined
  const own: string[] = []
  beforeAll(async () => {
    shared ??= startPostgres('fsync=off')
    server = await shared
  }, startTimeout)
  afterAll(() => server?.drop(own), startTimeout)
  return {
    create() {
      const name = `test_${created++}`
      own.push(name)
      return started(server).create(name)
    },
  }
}

/** A PostgreSQL server for the tests of a file, and its databases. */
export interface DatabaseServer extends Databases {
  /** Set when the server has started. */
  readonly server: PostgresServer
}

/** @param flags Settings of the server, as `name=value`. */
export function databaseServer(...flags: string[]): DatabaseServer {
  let server: PostgresServer | undefined
  beforeAll(async () => {
    server = await startPostgres(...flags)
  }, startTimeout)
  afterAll(() => server?.stop(), startTimeout)
  return {
    get server() {
      return started(server)
    },
    create: () => started(server).create(`test_${created++}`),
  }
}

function started(server: PostgresServer | undefined): PostgresServer {
  if (!server) throw new Error('The tests have not begun')
  return server
}
