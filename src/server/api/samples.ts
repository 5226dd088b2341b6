import { payloadsByEvent, samples as samplesOf } from '../../samples/index.ts'
import { ProblemError } from '../problem.ts'
import { type Route, route } from './route.ts'
import type { SampleCount } from './schemas/responses.ts'

/** Real payloads to try handlers with. */
export const samples = (): Route[] => [
  route({
    method: 'get',
    path: '/samples',
    operationId: 'listSamples',
    summary: 'The events and actions that have sample payloads',
    answer: 'Samples',
    handle: () => ({ samples: counts() }),
  }),
  route({
    method: 'get',
    path: '/samples/{name}',
    operationId: 'getSamples',
    summary: 'The payloads of an event, or of one of its actions',
    answer: 'SamplePayloads',
    problems: [404],
    handle({ context }) {
      const name = context.req.param('name') ?? ''
      const found = samplesOf(name)
      if (found.length === 0) throw new ProblemError('not_found', `There is no sample of ${name}: see /api/samples`)
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
