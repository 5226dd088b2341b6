import type { Inbox, Outcome } from '../../../src/inbox/inbox.ts'
import type { Facts } from '../../../src/inbox/records.ts'
import { recordMatches } from '../../../src/testing/inbox-contract/matching.ts'

export interface Handled {
  facts?: Facts
  handler?: string
  outcome?: Outcome['outcome'] | 'running' | 'ignored'
  /** More of how it ended. */
  more?: Partial<Outcome>
}

/** Has a delivery been handled, as a worker of its own would have. */
export async function handle(inbox: Inbox, id: number, handled: Handled = {}): Promise<void> {
  const { facts = {}, handler = 'deploy', outcome = 'succeeded', more } = handled
  const worker = await inbox.enlist([{ name: handler, backoff: 5000 }])
  const tasks = outcome === 'ignored' ? [] : [{ handler, begin: true }]
  const [begun] = await recordMatches(inbox, worker, [{ id, facts, tasks }], Date.now())
  if (!begun || outcome === 'running' || outcome === 'ignored') return
  const ended = { id, handler, attempt: begun.attempt, outcome, startedAt: Date.now(), duration: 12 }
  await inbox.finish(worker, [{ ...ended, ...(outcome === 'failed' && { nextAt: Date.now() + 60_000 }), ...more }])
}
