/** The threads of the SQLite inbox: one writes, the other keeps. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { Connection } from './connection.ts'
import { Maintenance } from './maintenance.ts'
import { connect } from './open.ts'
import type { ThreadSettings, ToThread } from './protocol.ts'
import { Writer } from './writer.ts'

const settings = workerData as ThreadSettings
const port = parentPort as MessagePort
const connection = new Connection(connect(settings.path, settings))
const served = settings.role === 'writer' ? new Writer(connection, settings) : new Maintenance(connection, settings)

port.on('message', (message: ToThread) => {
  if (message === 'close') {
    served.close()
    connection.db.close()
    port.postMessage('closed')
    port.close() // nothing else keeps this thread alive
  } else if ('prelude' in message) {
    served.execute(message.prelude)
  } else {
    port.postMessage(served.execute(message.calls))
  }
})
