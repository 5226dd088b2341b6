import { lastSweep, type Recovery } from '../../github/recovery.ts'
import type { SweepOptions, Swept } from '../../github/sweeper.ts'
import { ProblemError } from '../problem.ts'
import { type ApiContext, audit } from './api-context.ts'
import { type Route, route } from './route.ts'
import { slowJson } from './slow-json.ts'

/** Missed deliveries in one answer. */
const maxGaps = 1000

/** Lists missed deliveries, and recovers them. */
export const recovery = (api: ApiContext): Route[] => [
  route({
    method: 'get',
    path: '/recovery',
    operationId: 'getRecovery',
    summary: 'The deliveries that GitHub sent and this inbox missed, and their states',
    answer: 'Recovery',
    async handle() {
      const { inbox } = api
      const [{ gaps: counts }, gaps, last] = [await inbox.overview(), await inbox.gaps(), await lastSweep(inbox)]
      return { counts, gaps: gaps.slice(0, maxGaps), last }
    },
  }),
  route({
    method: 'post',
    path: '/recovery',
    operationId: 'recover',
    summary: 'Look for missed deliveries and fetch them now',
    body: 'SweepOptions',
    answer: 'SweepResult',
    problems: [409],
    handle({ context, body: options }) {
      const swept = sweep(recoveryIn(api), options).then(({ reports, gaps }) => {
        const what = reports.map(({ target }) => target)
        if (!options.dryRun) audit(api, context, { act: 'recover', what })
        return { reports, gaps: gaps.slice(0, maxGaps) }
      })
      return slowJson(context, swept)
    },
  }),
]

/** @throws {ProblemError} */
async function sweep(recovery: Recovery, options: SweepOptions): Promise<Swept> {
  const swept = await recovery.sweep(options)
  if (swept) return swept
  throw new ProblemError('not_applicable', 'Another process, or this one, is at it already')
}

function recoveryIn({ recovery }: ApiContext): Recovery {
  if (recovery) return recovery
  const cure = 'start a server that handles with --recover, such as --recover acme/shop'
  throw new ProblemError('not_applicable', `This process recovers nothing: ${cure}`)
}
