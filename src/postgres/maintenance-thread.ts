/** The program of the maintenance thread of the PostgreSQL inbox. */
import { workerData } from 'node:worker_threads'
import { executeEach, serveThread } from '../runtime/thread-server.ts'
import { Database } from './database.ts'
import { JobQueue } from './job-queue.ts'
import { Maintenance } from './maintenance.ts'
import type { MaintenanceCalls, MaintenanceData } from './maintenance-client.ts'

const { target, settings } = workerData as MaintenanceData
const database = new Database(target, settings, { max: 2, name: 'maintenance' })
const heartbeatDatabase = new Database(target, settings, { max: 1, name: 'heartbeat' })
const jobs = new JobQueue(database, settings.schema, { supervises: true })
let failing: string | undefined
const maintenance = new Maintenance([database, heartbeatDatabase], jobs, settings, (report) => {
  failing = report
})

const calls: MaintenanceCalls = {
  addWorker: (worker, handlers) => maintenance.addWorker(worker, handlers),
  removeWorker: (worker) => maintenance.removeWorker(worker),
  ping: () => {
    maintenance.ping()
    return failing
  },
}

startJobs()
serveThread<MaintenanceCalls>({ execute: (batch) => executeEach(calls, batch), close })

/** Tries again until the database can be reached. */
function startJobs(): void {
  jobs.start().catch(() => setTimeout(startJobs, 1000))
}

async function close(): Promise<void> {
  await maintenance.close()
  await jobs.stop().catch(() => undefined)
  await Promise.allSettled([database.close(), heartbeatDatabase.close()])
  process.exit() // ends this thread only, also while `startJobs` is still trying
}
