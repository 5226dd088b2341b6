import type { DeliveryDetail, InboxOverview, Page } from 'hookserver'
import type { Served } from '../served.ts'
import { progress } from './progress.ts'

/** Milliseconds between two requests for the status. */
const interval = 50

/** Waits until every delivery has ended. @throws The reason of `signal` if it aborts. */
export async function untilAllEnded(served: Served, signal: AbortSignal): Promise<InboxOverview['states']> {
  for (;;) {
    signal.throwIfAborted()
    const { states } = await served.get<InboxOverview>('/stats')
    const left = states.pending + states.running + states.retrying
    const all = Object.values(states).reduce((sum, count) => sum + count, 0)
    progress(all - left, all, left > 0 ? `${states.retrying} wait for another attempt` : '')
    if (left === 0) return states
    await new Promise((resolve) => setTimeout(resolve, interval))
  }
}

/** Reads all deliveries with their attempts, newest first. */
export async function readAll(served: Served): Promise<DeliveryDetail[]> {
  const details: DeliveryDetail[] = []
  for (let cursor = '', more = true; more; ) {
    const { deliveries, next } = await served.get<Page>(`/deliveries?limit=100${cursor}`)
    for (const { id } of deliveries) details.push(await served.get(`/deliveries/${id}`))
    more = next !== undefined
    cursor = `&cursor=${next}`
  }
  return details
}

/** The number of deliveries that a handler has handled successfully. */
export const countHandled = (handler: string, details: readonly DeliveryDetail[]): number =>
  details.filter(({ tasks }) => tasks.some((task) => task.handler === handler && task.state === 'done')).length
