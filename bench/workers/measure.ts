import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Inbox } from 'hookserver'
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

/** The number of repositories in the backlog. Each is an order key of the ordered handler. */
const repositories = 50

/** @returns deliveries handled a second, from the start of the workers to the last outcome. Modules load before that. */
export async function handledPerSecond(inbox: Inbox, load: Load): Promise<number> {
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

/** Stores copies of the push, for each repository in turn. */
async function storeBacklog(inbox: Inbox, deliveries: number): Promise<void> {
  const { headers, body } = push()
  const payload = JSON.parse(body) as { repository: { full_name: string } }
  const common = { source: '/hooks', hookId: '1', event: 'push', headers, form: 'json' as const, address: undefined }
  const signed = { secretId: undefined, secretIndex: 0, algorithm: 'sha256' }
  const bodies = Array.from({ length: repositories }, (_, index) => {
    payload.repository.full_name = `acme/repository-${index}`
    return JSON.stringify(payload).slice(0, -1)
  })
  const store = (index: number) => {
    const marked = `${bodies[index % repositories]},"mark":${index}}` // no two bodies are equal
    const bytes = new TextEncoder().encode(marked)
    return inbox.store({ ...common, ...signed, body: bytes, guid: crypto.randomUUID(), receivedAt: Date.now() })
  }
  for (let first = 0; first < deliveries; first += 200) {
    await Promise.all(Array.from({ length: Math.min(200, deliveries - first) }, (_, index) => store(first + index)))
  }
}
