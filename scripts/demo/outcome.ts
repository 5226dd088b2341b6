import type { DeliveryDetail, Page, Tally } from 'hookserver'
import type { Served } from '../served.ts'
import { progress } from './progress.ts'

/** Milliseconds between two looks. */
const interval = 50

/** Waits until nothing is left to do. @throws what `signal` aborts with. */
export async function allEnded(served: Served, signal: AbortSignal): Promise<Tally['states']> {
  for (;;) {
    signal.throwIfAborted()
    const { states } = await served.get<Tally>('/stats')
    const left = states.pending + states.running + states.retrying
    const all = Object.values(states).reduce((sum, count) => sum + count, 0)
    progress(all - left, all, left > 0 ? `${states.retrying} wait for another attempt` : '')
    if (left === 0) return states
    await new Promise((resolve) => setTimeout(resolve, interval))
  }
}

/** All deliveries, the newest first, with their attempts. */
export async function readAll(served: Served): Promise<DeliveryDetail[]> {
  const details: DeliveryDetail[] = []
  for (let before = '', more = true; more; ) {
    const { deliveries, next } = await served.get<Page>(`/deliveries?limit=100${before}`)
    for (const { id } of deliveries) details.push(await served.get(`/deliveries/${id}`))
    more = next !== undefined
    before = `&before=${next}`
  }
  return details
}

/** How many deliveries a handler has seen to its end. */
export const handledBy = (handler: string, details: readonly DeliveryDetail[]): number =>
  details.filter(({ tasks }) => tasks.some((task) => task.handler === handler && task.state === 'done')).length
