import type { DeliveryDetail, DeliverySummary, Page } from 'hookserver'
import { signedRequest } from 'hookserver/testing'
import { Served } from '../../scripts/served.ts'
import { contestants } from '../contestants.ts'
import { bench } from '../delivery.ts'
import { table } from '../table.ts'
import { normalLoad, shownLatency } from './load.ts'
import { settingsOf, withServed } from './with-served.ts'

const load = { rate: 200, seconds: 15 }
const [handlers = ''] = contestants['hookserver serve, all'].args

/** Prints the latency of a receiver before and while a handler blocks the worker, which is another process. */
export async function reportRoles(): Promise<void> {
  console.log(
    `\n${load.rate} pushes a second to a receiver, while a handler blocks the event loop of the worker for 20 s`,
  )
  await withServed(['--role', 'receiver'], async (receiver, folder) => {
    const worker = await Served.start(folder, settingsOf([handlers, '--role', 'worker']))
    try {
      await normalLoad(receiver.url, { ...load, seconds: 3 }) // to warm up
      const before = await normalLoad(receiver.url, load)
      const blocking = await beginBlocking(receiver)
      const meanwhile = await normalLoad(receiver.url, load)
      const { tasks } = await receiver.get<DeliveryDetail>(`/deliveries/${blocking}`)
      const [task] = tasks
      if (task?.state !== 'running' || task.attempts.length !== 1)
        throw new Error('The handler did not block during the whole measurement')
      const rows = [
        ['before', ...shownLatency(before)],
        ['meanwhile', ...shownLatency(meanwhile)],
      ]
      console.log(table(['answers', 'p50 ms', 'p99 ms', 'worst ms'], rows))
    } finally {
      await worker.stop()
    }
  })
}

/** @returns the id of the delivery whose handler has started to block. */
async function beginBlocking(receiver: Served): Promise<number> {
  await fetch(receiver.url, signedRequest('fork', { secret: bench.secret }) as RequestInit)
  for (;;) {
    const { deliveries } = await receiver.get<Page>('/deliveries?event=fork&state=running')
    const [running]: DeliverySummary[] = deliveries
    if (running) return running.id
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
