import type { ThreadServer } from '../runtime/thread-server.ts'
import { NodeSqlite } from './connection/node-sqlite.ts'
import { connect } from './connection/open.ts'
import { Maintenance } from './maintenance.ts'
import type { MaintenanceCalls, ThreadSettings, WriterCalls } from './threads.ts'
import { Writer } from './writer.ts'

/** Creates the server of a thread with this role, with a connection of its own. */
export function createServer(settings: ThreadSettings): ThreadServer<WriterCalls> | ThreadServer<MaintenanceCalls> {
  const connection = new NodeSqlite(connect(settings.path, settings))
  return settings.role === 'writer'
    ? withConnection(new Writer(connection, settings), connection)
    : withConnection(new Maintenance(connection, settings), connection)
}

/** Milliseconds between two checks whether the shared memory of the database is still there. */
const watchInterval = 200

function withConnection<Served>(
  server: ThreadServer<Served> & { close(): void },
  connection: NodeSqlite,
): ThreadServer<Served> {
  const watch = setInterval(() => connection.closeIfUnshared(), watchInterval).unref()
  return {
    execute: (calls) => server.execute(calls),
    sendEvents: (send) => server.sendEvents?.(send),
    close() {
      clearInterval(watch)
      server.close()
      connection.close()
    },
  }
}
