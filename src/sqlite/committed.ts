import { diagnostics } from '../telemetry/diagnostics.ts'
import type { Answer, Call } from './protocol.ts'

/**
 * Publishes how many deliveries the thread that writes has made safe together, copies included, where somebody listens.
 * No sender waits for what else it writes.
 */
export function publishCommitted(calls: readonly Call[], answers: readonly Answer[], duration: number): void {
  const { committed } = diagnostics
  if (!committed?.hasSubscribers) return
  const isSafe = (answer: Answer | undefined) => answer !== undefined && 'value' in answer
  const deliveries = calls.filter(({ method }, index) => method === 'store' && isSafe(answers[index])).length
  if (deliveries > 0) committed.publish({ deliveries, duration })
}
