import { Hooks } from 'hookserver'
import { postgres } from 'hookserver/postgres'
import { sqlite } from 'hookserver/sqlite'
import type { Queue, QueueOptions } from './queue.ts'

/** A worker with one handler, which runs 25 times at a time, as it does by default. */
export default function hookserver({ target, handle, ordered }: QueueOptions): Queue {
  const inbox = target.startsWith('postgres:') ? postgres(target) : sqlite(target)
  const hooks = new Hooks({ inbox, work: false, validateSignature: false, validateIp: false })
  hooks.on(
    'push',
    {
      name: 'handle',
      order: ordered ? 'repository' : undefined,
    },
    ({ payload }) => handle(payload as unknown as { mark: number }),
  )
  return {
    async store(payloads) {
      const receive = (payload: string) => hooks.receive({ event: 'push', guid: crypto.randomUUID(), payload })
      await Promise.all(payloads.map(receive))
    },
    work: () => hooks.work(),
    async unfinished() {
      const { pending, running, retrying } = (await inbox.overview()).states
      return pending + running + retrying
    },
    close: () => hooks.close(),
  }
}
