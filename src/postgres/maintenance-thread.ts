/** The thread of the Postgres inbox that keeps. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { HandlerPolicy } from '../inbox/inbox.ts'
import type { Target } from './connection-target.ts'
import { Database } from './database.ts'
import { Jobs } from './job-queue.ts'
import { Keeper } from './maintenance.ts'
import type { PostgresSettings } from './options.ts'

/** What the thread is told. */
export type ToKeeper = { hold: number; handlers: readonly HandlerPolicy[] } | { letGo: number } | 'heard' | 'close'

const { target, settings } = workerData as { target: Target; settings: PostgresSettings }
const port = parentPort as MessagePort
const database = new Database(target, settings, { max: 2, name: 'keeper' })
const heart = new Database(target, settings, { max: 1, name: 'heart' })
const jobs = new Jobs(database, settings.schema, { supervises: true })
const keeper = new Keeper([database, heart], jobs, settings, (failing) => port.postMessage(failing))
start()

port.on('message', (message: ToKeeper) => {
  if (message === 'heard') keeper.heard()
  else if (message === 'close') void close()
  else if ('hold' in message) keeper.hold(message.hold, message.handlers)
  else keeper.letGo(message.letGo)
})

/** Until the database is there. */
function start(): void {
  jobs.start().catch(() => setTimeout(start, 1000))
}

async function close(): Promise<void> {
  await keeper.close()
  await jobs.stop().catch(() => undefined)
  await Promise.allSettled([database.close(), heart.close()])
  process.exit() // of this thread alone
}
