import type { AttemptResult, Store } from '../../../src/inbox/inbox.ts'
import type { PayloadSummary } from '../../../src/inbox/records.ts'
import { recordMatches } from '../../../src/testing/inbox-contract/matching.ts'

export interface Handled {
  facts?: PayloadSummary
  handler?: string
  outcome?: AttemptResult['outcome'] | 'running' | 'ignored'
  /** Further members of the result. */
  more?: Partial<AttemptResult>
}

/** Records the match and the attempt of a delivery, as a worker does. */
export async function handle(inbox: Store, id: number, handled: Handled = {}): Promise<void> {
  const { facts = {}, handler = 'deploy', outcome = 'succeeded', more } = handled
  const worker = await inbox.registerWorker([{ name: handler, backoff: 5000 }])
  const tasks = outcome === 'ignored' ? [] : [{ handler, claim: true }]
  const [claimed] = await recordMatches(inbox, worker, [{ id, summary: facts, tasks }], Date.now())
  if (!claimed || outcome === 'running' || outcome === 'ignored') return
  const ended = { id, handler, attempt: claimed.attempt, outcome, startedAt: Date.now(), duration: 12 }
  await inbox.finish(worker, [{ ...ended, ...(outcome === 'failed' && { nextAt: Date.now() + 60_000 }), ...more }])
}
