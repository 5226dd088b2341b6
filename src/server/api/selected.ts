import { Unanswerable } from '../problem.ts'
import { type Act, acts } from './acts.ts'
import { idIn, noDelivery } from './deliveries.ts'
import { readJson } from './json-body.ts'
import { audit, type Operated } from './operated.ts'
import type { Route } from './route.ts'
import { answer, body, deliveryId, problems } from './schemas.ts'
import { countConcerned, partsOf, reasonIn, selectionIn, stillIn } from './selection.ts'

/** What is done to one delivery, or to many. */
export const selected = (operated: Operated): Route[] =>
  acts.flatMap((act) => [toMany(act, operated), toOne(act, operated)])

function toOne(act: Act, operated: Operated): Route {
  const { name, summary, members, otherwise } = act
  return {
    method: 'post',
    path: `/deliveries/{id}/${name}`,
    operation: {
      operationId: name,
      summary,
      parameters: [deliveryId],
      requestBody: body(members.length > 0 ? 'Reason' : 'Nothing', false),
      responses: { 200: answer('Count'), ...problems(400, 404, 409, 413, 415) },
    },
    async answer(context) {
      const id = idIn(context)
      const reason = reasonIn(await readJson(context, members))
      const count = await act.apply(operated.inbox, { ids: [id] }, reason)
      if (count > 0) {
        audit(operated, context, { act: name, what: { ids: [id] }, count, reason })
        return context.json({ count })
      }
      const delivery = await operated.inbox.get(id)
      if (!delivery) throw noDelivery(id)
      throw new Unanswerable('not_applicable', `Delivery ${id} is ${delivery.state}: ${otherwise}`)
    },
  }
}

function toMany(act: Act, operated: Operated): Route {
  const { name, summaryOfMany, members } = act
  return {
    method: 'post',
    path: `/deliveries/${name}`,
    operation: {
      operationId: `${name}Many`,
      summary: summaryOfMany,
      requestBody: body(members.length > 0 ? 'SelectionAndReason' : 'Selection', true),
      responses: { 200: answer('Count'), ...problems(400, 413, 415) },
    },
    async answer(context) {
      const given = await readJson(context, ['ids', 'query', 'states', 'dryRun', ...members])
      const { selection, states, dryRun } = selectionIn(given)
      const reason = reasonIn(given)
      if (dryRun) {
        const concerned = act.concerns.filter((state) => states?.includes(state) ?? true)
        const count = await countConcerned(operated.inbox, selection, concerned, context.req.raw.signal)
        return context.json({ count })
      }
      let count = 0
      for (const part of partsOf(selection)) {
        const meant = 'ids' in part && states ? { ids: await stillIn(operated.inbox, part.ids, states) } : part
        count += await act.apply(operated.inbox, meant, reason)
      }
      audit(operated, context, { act: name, what: selection, count, reason })
      return context.json({ count })
    },
  }
}
