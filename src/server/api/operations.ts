import type { Inbox } from '../../inbox/inbox.ts'
import type { Selection } from '../../inbox/query/query.ts'
import type { DeliveryDetail, DeliveryState, TaskState } from '../../inbox/records.ts'
import { ProblemError } from '../problem.ts'
import { type ApiContext, audit, noDelivery, type Route, route } from './route.ts'
import type { Output } from './schemas/index.ts'
import { queryOf } from './schemas/requests.ts'

/** The routes to retry and discard one delivery, or many. */
export const operations = (api: ApiContext): Route[] =>
  [retry, discard].flatMap((operation) => [onMany(operation, api), onOne(operation, api)])

interface Operation {
  name: 'retry' | 'discard'
  /** The summary of the route for one delivery. */
  summary: string
  /** The summary of the route for many deliveries. */
  summaryOfMany: string
  body: 'EmptyBody' | 'Reason'
  bodyOfMany: 'Selection' | 'SelectionAndReason'
  /** The states in which the operation changes every delivery. */
  states: readonly DeliveryState[]
  /** Whether the operation changes a delivery that is in another state. Default: never. */
  changesTasks?(tasks: DeliveryDetail['tasks']): boolean
  /** Why the operation changed nothing although the delivery exists. */
  otherwise: string
  apply(inbox: Inbox, selection: Selection, reason: string | undefined): Promise<number>
}

const retry: Operation = {
  name: 'retry',
  summary: 'Retry a delivery: run all handlers if it is done, otherwise those that have not succeeded',
  summaryOfMany: 'Retry deliveries',
  body: 'EmptyBody',
  bodyOfMany: 'Selection',
  states: ['retrying', 'dead', 'discarded', 'done', 'ignored'],
  // If no task is pending or running, the delivery waits to be matched again, and its tasks are those of the last run.
  changesTasks: (tasks) => {
    const hasTask = (...states: TaskState[]) => tasks.some(({ state }) => states.includes(state))
    return hasTask('pending', 'running') && hasTask('retrying', 'dead', 'discarded')
  },
  otherwise: 'no handler has to be retried, because each has succeeded, is running or will still run',
  apply: (inbox, selection) => inbox.retry(selection),
}

const discard: Operation = {
  name: 'discard',
  summary: 'Discard a delivery that is unfinished or dead',
  summaryOfMany: 'Discard deliveries that are unfinished or dead',
  body: 'Reason',
  bodyOfMany: 'SelectionAndReason',
  states: ['pending', 'running', 'retrying', 'dead'],
  otherwise: 'it has already ended',
  apply: (inbox, selection, reason = 'Discarded by an operator') => inbox.discard(selection, reason),
}

function onOne({ name, summary, body, otherwise, apply }: Operation, api: ApiContext): Route {
  const { inbox } = api
  return route({
    method: 'post',
    path: `/deliveries/{id}/${name}`,
    operationId: name,
    summary,
    body,
    answer: 'Count',
    problems: [409],
    async handle({ context, id, body }) {
      const { reason }: { reason?: string | undefined } = body
      const count = await apply(inbox, { ids: [id] }, reason)
      if (count > 0) {
        audit(api, context, { act: name, what: { ids: [id] }, count, reason })
        return { count }
      }
      const delivery = await inbox.get(id)
      if (!delivery) throw noDelivery(id)
      throw new ProblemError('not_applicable', `Delivery ${id} is ${delivery.state}: ${otherwise}`)
    },
  })
}

function onMany(operation: Operation, api: ApiContext): Route {
  const { name, summaryOfMany, bodyOfMany, apply } = operation
  const { inbox } = api
  return route({
    method: 'post',
    path: `/deliveries/${name}`,
    operationId: `${name}Many`,
    summary: summaryOfMany,
    body: bodyOfMany,
    bodyRequired: true,
    answer: 'Count',
    async handle({ context, body }) {
      const { ids, query = {}, reason, dryRun, states: only }: Output<'SelectionAndReason'> = body
      const selection = ids ? { ids: [...new Set(ids)] } : { query: queryOf(query, 'query.') }
      if (dryRun) {
        const selected = 'ids' in selection && only ? { ids: await idsIn(inbox, selection.ids, only) } : selection
        return { count: await countChanges(inbox, selected, operation, context.req.raw.signal) }
      }
      let count = 0
      for (const part of partsOf(selection)) {
        const changed = 'ids' in part && only ? { ids: await idsIn(inbox, part.ids, only) } : part
        count += await apply(inbox, changed, reason)
      }
      audit(api, context, { act: name, what: selection, count, reason })
      return { count }
    },
  })
}

/**
 * The maximum number of ids in one transaction. It is small, because with SQLite, new deliveries wait until the
 * transaction ends. Also the number of deliveries in a page when a dry run counts the deliveries of a query.
 */
const maxAtOnce = 500

/** Divides a list of ids into short transactions. The inbox itself divides a query. */
function partsOf(selection: Selection): Selection[] {
  if (!('ids' in selection)) return [selection]
  const { ids } = selection
  const starts = Array.from({ length: Math.ceil(ids.length / maxAtOnce) }, (_, index) => index * maxAtOnce)
  return starts.map((start) => ({ ids: ids.slice(start, start + maxAtOnce) }))
}

/** Counts the deliveries of a selection that the operation would change. */
async function countChanges(
  inbox: Inbox,
  selection: Selection,
  operation: Operation,
  signal: AbortSignal,
): Promise<number> {
  if ('ids' in selection) return countDetails(inbox, selection.ids, operation)
  let count = 0
  let before: number | undefined
  do {
    const { deliveries, next } = await inbox.list({ ...selection.query, before, limit: maxAtOnce })
    const others = deliveries.filter(({ state }) => !operation.states.includes(state))
    count += deliveries.length - others.length
    if (operation.changesTasks) count += await countDetails(inbox, idsOf(others), operation)
    before = next
  } while (before !== undefined && !signal.aborted) // the client may have closed the connection
  return count
}

async function countDetails(inbox: Inbox, ids: readonly number[], operation: Operation): Promise<number> {
  const { states, changesTasks } = operation
  const deliveries = await Promise.all(ids.map((id) => inbox.get(id)))
  return deliveries.filter((one) => one && (states.includes(one.state) || changesTasks?.(one.tasks))).length
}

const idsOf = (deliveries: readonly { id: number }[]): number[] => deliveries.map(({ id }) => id)

/** The ids of the deliveries that are in one of these states now. */
async function idsIn(inbox: Inbox, ids: readonly number[], states: readonly DeliveryState[]): Promise<number[]> {
  const deliveries = await Promise.all(ids.map((id) => inbox.get(id)))
  return deliveries.flatMap((delivery) => (delivery && states.includes(delivery.state) ? [delivery.id] : []))
}
