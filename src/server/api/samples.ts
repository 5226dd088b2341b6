import { payloadsByEvent, samples as samplesOf } from '../../samples/index.ts'
import { ProblemError } from '../problem.ts'
import { type Route, route } from './route.ts'
import type { SampleCount } from './schemas/responses.ts'

/** The routes for sample payloads, with which operators test handlers. */
export const samples = (): Route[] => [
  route({
    method: 'get',
    path: '/samples',
    operationId: 'listSamples',
    summary: 'List the events and actions that have sample payloads',
    answer: 'Samples',
    handle: () => ({ samples: counts() }),
  }),
  route({
    method: 'get',
    path: '/samples/{event}',
    operationId: 'getSamples',
    summary: 'Get the sample payloads of an event or an action',
    answer: 'SamplePayloads',
    problems: [404],
    handle({ context }) {
      const name = context.req.param('event') ?? ''
      const found = samplesOf(name)
      if (found.length === 0)
        throw new ProblemError('not_found', `There is no sample of ${name}: GET /api/v1/samples lists all`)
      return { samples: found }
    },
  }),
]

function counts(): SampleCount[] {
  return [...payloadsByEvent()].flatMap(([event, payloads]) => {
    const byAction = Map.groupBy(payloads, ({ action }) => action)
    return [...byAction].map(([action, { length }]) => ({ event, action, count: length }))
  })
}
