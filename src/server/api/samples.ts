import { samples as copiesOf, payloadsByEvent } from '../../samples/index.ts'
import { Unanswerable } from '../problem.ts'
import { parameterOf, type Route } from './route.ts'
import { answer, problems } from './schemas.ts'

/** Real payloads to try handlers with. */
export const samples = (): Route[] => [
  {
    method: 'get',
    path: '/samples',
    operation: {
      operationId: 'listSamples',
      summary: 'The events and actions that there are real payloads of',
      responses: { 200: answer('Samples') },
    },
    answer: (context) => context.json({ samples: counted() }),
  },
  {
    method: 'get',
    path: '/samples/{name}',
    operation: {
      operationId: 'getSamples',
      summary: 'The payloads of an event, or of one of its actions',
      parameters: [
        { name: 'name', in: 'path', required: true, description: 'event or event.action', schema: { type: 'string' } },
      ],
      responses: { 200: answer('SamplePayloads'), ...problems(404) },
    },
    answer(context) {
      const name = parameterOf(context, 'name')
      const found = copiesOf(name)
      if (found.length === 0) throw new Unanswerable('not_found', `There is no sample of ${name}: see /api/samples`)
      return context.json({ samples: found })
    },
  },
]

function counted(): { event: string; action: string | undefined; count: number }[] {
  return [...payloadsByEvent()].flatMap(([event, payloads]) => {
    const counts = new Map<string | undefined, number>()
    for (const { action } of payloads) counts.set(action, (counts.get(action) ?? 0) + 1)
    return [...counts].map(([action, count]) => ({ event, action, count }))
  })
}
