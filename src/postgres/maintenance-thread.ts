/** The thread of the Postgres inbox that keeps. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { HandlerPolicy } from '../inbox/inbox.ts'
import type { ConnectionTarget } from './connection-target.ts'
import { Database } from './database.ts'
import { JobQueue } from './job-queue.ts'
import { Maintenance } from './maintenance.ts'
import type { PostgresSettings } from './options.ts'

/** What the thread is told. */
export type MaintenanceMessage =
  | { hold: number; handlers: readonly HandlerPolicy[] }
  | { letGo: number }
  | 'heard'
  | 'close'

const { target, settings } = workerData as { target: ConnectionTarget; settings: PostgresSettings }
const port = parentPort as MessagePort
const database = new Database(target, settings, { max: 2, name: 'keeper' })
const heartbeatDatabase = new Database(target, settings, { max: 1, name: 'heart' })
const jobs = new JobQueue(database, settings.schema, { supervises: true })
const maintenance = new Maintenance([database, heartbeatDatabase], jobs, settings, (failing) =>
  port.postMessage(failing),
)
start()

port.on('message', (message: MaintenanceMessage) => {
  if (message === 'heard') maintenance.ping()
  else if (message === 'close') void close()
  else if ('hold' in message) maintenance.addWorker(message.hold, message.handlers)
  else maintenance.removeWorker(message.letGo)
})

/** Until the database is there. */
function start(): void {
  jobs.start().catch(() => setTimeout(start, 1000))
}

async function close(): Promise<void> {
  await maintenance.close()
  await jobs.stop().catch(() => undefined)
  await Promise.allSettled([database.close(), heartbeatDatabase.close()])
  process.exit() // of this thread alone
}
