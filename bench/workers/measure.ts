import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Store } from 'hookserver/store'
import { backlogPayload } from '../backlog.ts'
import { push } from '../delivery.ts'

export interface Load {
  store: 'SQLite' | 'PostgreSQL'
  /** The file or the URL of the database, which is empty. */
  target: string
  workers: number
  /** Whether the handler has `order: 'repository'`. */
  ordered: boolean
  deliveries: number
}

/** @returns deliveries handled a second, from the start of the workers to the last outcome. Modules load before that. */
export async function handledPerSecond(inbox: Store, load: Load): Promise<number> {
  await storeBacklog(inbox, load.deliveries)
  const workers = Array.from({ length: load.workers }, () => start(load))
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const began = performance.now()
  for (const worker of workers) worker.send('work')
  while ((await inbox.overview()).states.done < load.deliveries) await new Promise((resolve) => setTimeout(resolve, 50))
  const rate = (load.deliveries / (performance.now() - began)) * 1000
  for (const worker of workers) worker.send('close')
  await Promise.all(workers.map((worker) => worker.exitCode ?? once(worker, 'exit')))
  return rate
}

const start = (load: Load): ChildProcess => fork(new URL('program.ts', import.meta.url), [JSON.stringify(load)])

async function storeBacklog(inbox: Store, deliveries: number): Promise<void> {
  const { headers } = push()
  const common = { source: '/hooks', hookId: '1', event: 'push', headers, form: 'json' as const, address: undefined }
  const signed = { secretId: undefined, secretIndex: 0, algorithm: 'sha256' }
  const store = (index: number) => {
    const body = new TextEncoder().encode(backlogPayload(index))
    return inbox.store({ ...common, ...signed, body, guid: crypto.randomUUID(), receivedAt: Date.now() })
  }
  for (let first = 0; first < deliveries; first += 200) {
    await Promise.all(Array.from({ length: Math.min(200, deliveries - first) }, (_, index) => store(first + index)))
  }
}
