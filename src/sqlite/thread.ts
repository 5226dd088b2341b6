/** The program of both threads of the SQLite inbox. */
import { workerData } from 'node:worker_threads'
import { serveThread, type ThreadServer } from '../runtime/thread-server.ts'
import { Connection } from './connection.ts'
import { Maintenance } from './maintenance.ts'
import { connect } from './open.ts'
import type { ThreadSettings } from './threads.ts'
import { Writer } from './writer.ts'

const settings = workerData as ThreadSettings
const connection = new Connection(connect(settings.path, settings))

if (settings.role === 'writer') serve(new Writer(connection, settings))
else serve(new Maintenance(connection, settings))

function serve<Served>(server: ThreadServer<Served> & { close(): void }): void {
  serveThread<Served>({
    execute: (calls) => server.execute(calls),
    close: () => {
      server.close()
      connection.db.close()
    },
  })
}
