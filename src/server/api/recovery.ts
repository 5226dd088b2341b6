import type { Context } from 'hono'
import type { SweepOptions } from '../../github/recovery/options.ts'
import { lastSweep, type Recovery } from '../../github/recovery/recovery.ts'
import { auditResultOf, type Swept } from '../../github/recovery/sweeper.ts'
import { wait } from '../../runtime/timer.ts'
import { ProblemError } from '../problem.ts'
import { logAction, record } from './audit.ts'
import { type ApiContext, type Route, route } from './route.ts'

/** The maximum number of missed deliveries in one response. */
const maxListed = 1000

export const recovery = (api: ApiContext): Route[] => [
  route({
    method: 'get',
    path: '/recovery',
    operationId: 'getRecovery',
    summary: 'List missed deliveries, their counts by state, and the last sweep',
    answer: 'Recovery',
    async handle() {
      const { inbox } = api
      const { missedDeliveries: counts } = await inbox.overview()
      const missedDeliveries = (await inbox.missedDeliveries()).slice(0, maxListed)
      return { canSweep: api.recovery !== undefined, counts, missedDeliveries, last: await lastSweep(inbox) }
    },
  }),
  route({
    method: 'post',
    path: '/recovery/sweeps',
    operationId: 'sweep',
    summary: 'Run a recovery sweep now',
    body: 'SweepOptions',
    answer: 'SweepResult',
    problems: [409],
    handle({ context, body: options }) {
      const swept = sweep(recoveryIn(api), options).then(async ({ reports, missedDeliveries }) => {
        const what = reports.map(({ target }) => target)
        if (!options.dryRun) {
          logAction(api, context, { act: 'recover', what })
          const result = auditResultOf(reports)
          if (result) await record(api, context, 'recover', result)
        }
        return { reports, missedDeliveries: missedDeliveries.slice(0, maxListed) }
      })
      return slowJson(context, swept)
    },
  }),
]

/** @throws {ProblemError} if a sweep is already running. */
async function sweep(recovery: Recovery, options: SweepOptions): Promise<Swept> {
  const swept = await recovery.sweep(options)
  if (swept) return swept
  const detail = 'A recovery sweep is already running for this inbox: try again later'
  throw new ProblemError('not_applicable', detail)
}

function recoveryIn({ recovery }: ApiContext): Recovery {
  if (recovery) return recovery
  const cure = 'start a server with --recover (for example --recover acme/shop) and --role all or worker'
  throw new ProblemError('not_applicable', `This process does not recover missed deliveries: ${cure}`)
}

/** Milliseconds between line breaks. Short, because most proxies close a connection after a minute without data. */
const defaultInterval = 10_000

/**
 * Answers with JSON that may take minutes to compute. The response begins after one interval at the latest. From then
 * on, it contains a line break for each further interval, and at the end the JSON.
 * @param work Computes the value. If it fails before the response has begun, this function rejects. If it fails later,
 *   the response breaks off.
 * @param interval Milliseconds.
 */
export async function slowJson(
  context: Context,
  work: Promise<object>,
  interval: number = defaultInterval,
): Promise<Response> {
  let text: string | undefined
  const done = work.then((value) => {
    text = JSON.stringify(value)
  })
  await wait(interval, done)
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (text === undefined) await wait(interval, done)
      controller.enqueue(encoder.encode(text ?? '\n'))
      if (text !== undefined) controller.close()
    },
  })
  done.catch(() => undefined) // prevents an unhandled rejection if the client has closed the connection
  return context.body(text ?? body, 200, { 'content-type': 'application/json' })
}
