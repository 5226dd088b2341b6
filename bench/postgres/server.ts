/** One PostgreSQL for the whole run, with its default commit settings: it flushes each commit to disk. */
import pg from 'pg'
import { parentOf } from '../../test/chaos/database.ts'
import { type PostgresServer, startPostgres } from '../../test/postgres/server.ts'
import type { Database } from '../databases.ts'
import { cpuOfTree } from '../process-tree.ts'

interface Running extends PostgresServer {
  admin: pg.Pool
  /** The process id of the PostgreSQL server; 0 if the system has no `/proc`. */
  postmaster: number
}

let started: Promise<Running> | undefined

async function start(): Promise<Running> {
  const server = await startPostgres(
    ...['shared_buffers=1GB', 'max_wal_size=4GB', 'max_connections=200'],
    // Only databases that set `track` otherwise count their statements.
    ...['shared_preload_libraries=pg_stat_statements', 'pg_stat_statements.track=none'],
  )
  const admin = new pg.Pool({ connectionString: server.url, max: 1 })
  admin.on('error', () => undefined) // the server may stop before it has closed the connection
  const { rows } = await admin.query<{ pid: number }>('select pg_backend_pid() as pid')
  return Object.assign(server, { admin, postmaster: parentOf(rows[0]?.pid as number) })
}

/** Creates an empty database. The first call starts the server. */
export async function createPostgresDatabase(): Promise<Database> {
  started ??= start()
  const { create, admin, postmaster } = await started
  const name = `bench_${crypto.randomUUID().replaceAll('-', '')}`
  return {
    target: await create(name),
    cpu: () => cpuOfTree(postmaster),
    remove: async () => void (await admin.query(`drop database ${name} with (force)`)),
  }
}

export async function stopPostgres(): Promise<void> {
  if (!started) return
  const { admin, stop } = await started
  await admin.end()
  await stop()
}
