import { lastSweep, type Recovery } from '../../github/recovery.ts'
import { Unanswerable } from '../problem.ts'
import { audit, type Operated } from './operated.ts'
import type { Route } from './route.ts'
import { answer, problems } from './schemas.ts'

/** Gaps in one answer. */
const most = 1000

/** What GitHub sent and did not come in, and what becomes of it. */
export function recovery(operated: Operated): Route[] {
  const { inbox } = operated
  return [
    {
      method: 'get',
      path: '/recovery',
      operation: {
        operationId: 'getRecovery',
        summary: 'What GitHub sent and did not come in, and what became of it',
        responses: { 200: answer('Recovery') },
      },
      async answer(context) {
        const [{ gaps: counts }, gaps, last] = [await inbox.tally(), await inbox.gaps(), await lastSweep(inbox)]
        return context.json({ counts, gaps: gaps.slice(0, most), last })
      },
    },
    {
      method: 'post',
      path: '/recovery',
      operation: {
        operationId: 'recover',
        summary: 'Look for what did not come in, and fetch it, now',
        responses: { 200: answer('Swept'), ...problems(409) },
      },
      async answer(context) {
        const swept = await recoveryIn(operated).sweep()
        if (!swept) throw new Unanswerable('not_applicable', 'Another process, or this one, is at it already')
        const { reports } = swept
        audit(operated, context, { act: 'recover', what: reports.map(({ target }) => target) })
        return context.json({ reports })
      },
    },
  ]
}

function recoveryIn({ recovery }: Operated): Recovery {
  if (recovery) return recovery
  const cure = 'start a server that handles with --recover, such as --recover acme/shop'
  throw new Unanswerable('not_applicable', `This process recovers nothing: ${cure}`)
}
