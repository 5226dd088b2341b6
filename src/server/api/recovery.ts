import type { SweepOptions } from '../../github/recovery/options.ts'
import { lastSweep, type Recovery } from '../../github/recovery/recovery.ts'
import type { Swept } from '../../github/recovery/sweeper.ts'
import { ProblemError } from '../problem.ts'
import { type ApiContext, audit } from './api-context.ts'
import { type Route, route } from './route.ts'
import { slowJson } from './slow-json.ts'

/** Missed deliveries in one response. */
const maxListed = 1000

/** Lists missed deliveries, and recovers them. */
export const recovery = (api: ApiContext): Route[] => [
  route({
    method: 'get',
    path: '/recovery',
    operationId: 'getRecovery',
    summary: 'Missed deliveries by state, and the last sweep',
    answer: 'Recovery',
    async handle() {
      const { inbox } = api
      const { missedDeliveries: counts } = await inbox.overview()
      const missedDeliveries = (await inbox.missedDeliveries()).slice(0, maxListed)
      return { counts, missedDeliveries, last: await lastSweep(inbox) }
    },
  }),
  route({
    method: 'post',
    path: '/recovery',
    operationId: 'recover',
    summary: 'Run a recovery sweep now',
    body: 'SweepOptions',
    answer: 'SweepResult',
    problems: [409],
    handle({ context, body: options }) {
      const swept = sweep(recoveryIn(api), options).then(({ reports, missedDeliveries }) => {
        const what = reports.map(({ target }) => target)
        if (!options.dryRun) audit(api, context, { act: 'recover', what })
        return { reports, missedDeliveries: missedDeliveries.slice(0, maxListed) }
      })
      return slowJson(context, swept)
    },
  }),
]

/** @throws {ProblemError} */
async function sweep(recovery: Recovery, options: SweepOptions): Promise<Swept> {
  const swept = await recovery.sweep(options)
  if (swept) return swept
  throw new ProblemError(
    'not_applicable',
    'A recovery sweep is already running for this inbox: try again when it has ended',
  )
}

function recoveryIn({ recovery }: ApiContext): Recovery {
  if (recovery) return recovery
  const cure = 'start a server that runs handlers with --recover, such as --recover acme/shop'
  throw new ProblemError('not_applicable', `This process does not recover missed deliveries: ${cure}`)
}
