import type { NewAuditEntry } from '../../inbox/audit-log.ts'
import type { Store } from '../../inbox/inbox.ts'
import { selectionsOf } from '../../inbox/operation-batches.ts'
import type { Query, SelectedIds } from '../../inbox/query/query.ts'
import { searchText } from '../../inbox/query/search-text.ts'
import type { DeliveryDetail, DeliveryState, TaskState } from '../../inbox/records.ts'
import { restartableStates } from '../../inbox/states.ts'
import { ProblemError } from '../problem.ts'
import { entryOf, logAction } from './audit.ts'
import { cursorBefore } from './cursor.ts'
import { type ApiContext, noDelivery, type Route, route } from './route.ts'
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
  body: 'OnlyHandler' | 'Reason'
  bodyOfMany: 'SelectionAndHandler' | 'SelectionAndReason'
  /** The states in which the operation changes every delivery. */
  states: readonly DeliveryState[]
  /** Whether the operation changes a delivery that is in another state. Default: never. */
  changesTasks?(tasks: DeliveryDetail['tasks']): boolean
  /** Why the operation changed nothing although the delivery exists. */
  otherwise: string
  apply(inbox: Store, selected: SelectedIds, entry: NewAuditEntry, options: OperationOptions): Promise<number>
}

interface OperationOptions {
  /** The reason of a discard. */
  reason?: string | undefined
  /** The only handler that a retry runs again. */
  handler?: string | undefined
}

const retry: Operation = {
  name: 'retry',
  summary: 'Retry a delivery: run all handlers if it is done, otherwise those that have not succeeded',
  summaryOfMany: 'Retry deliveries',
  body: 'OnlyHandler',
  bodyOfMany: 'SelectionAndHandler',
  states: ['retrying', 'dead', 'discarded', 'done', 'ignored'],
  // If no task is pending or running, the delivery waits to be matched again, and its tasks are those of the last run.
  changesTasks: (tasks) => {
    const hasTask = (...states: TaskState[]) => tasks.some(({ state }) => states.includes(state))
    return hasTask('pending', 'running') && hasTask('retrying', 'dead', 'discarded')
  },
  otherwise: 'no handler has to be retried, because each has succeeded, is running or will still run',
  apply: (inbox, selected, entry, { handler }) => inbox.retry(selected, { handler, entry }),
}

const discard: Operation = {
  name: 'discard',
  summary: 'Discard a delivery that is unfinished or dead',
  summaryOfMany: 'Discard deliveries that are unfinished or dead',
  body: 'Reason',
  bodyOfMany: 'SelectionAndReason',
  states: ['pending', 'running', 'retrying', 'dead'],
  otherwise: 'it has already ended',
  apply: (inbox, selected, entry, { reason = 'Discarded by an operator' }) => inbox.discard(selected, reason, entry),
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
      const { reason, handler }: OperationOptions = body
      const count = await apply(inbox, { ids: [id] }, entryOf(context, name, { reason, handler }), { reason, handler })
      if (count > 0) {
        logAction(api, context, { act: name, what: { ids: [id], handler }, count, reason })
        return { count }
      }
      const delivery = await inbox.get(id)
      if (!delivery) throw noDelivery(id)
      if (handler !== undefined) throw handlerNotRetried(delivery, handler)
      throw new ProblemError('not_applicable', `Delivery ${id} is ${delivery.state}: ${otherwise}`)
    },
  })
}

/** Why one handler of a delivery was not retried. */
function handlerNotRetried({ id, tasks }: DeliveryDetail, handler: string): ProblemError {
  const task = tasks.find((one) => one.handler === handler)
  if (!task) {
    const known = tasks.length > 0 ? `its handlers are ${tasks.map((one) => one.handler).join(', ')}` : 'it has none'
    return new ProblemError('not_applicable', `Delivery ${id} has no handler ${handler}: ${known}`)
  }
  return new ProblemError(
    'not_applicable',
    `Handler ${handler} of delivery ${id} is ${task.state}: it has still to run`,
  )
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
      const { ids, query = {}, cursor, dryRun, states, operationId }: Output<'SelectionAndHandler'> = body
      const { reason, handler }: OperationOptions = body
      const { signal } = context.req.raw
      const selection = ids ? { ids: [...new Set(ids)] } : { query: queryOf(query, 'query.') }
      const batches =
        'ids' in selection
          ? batchesOfIds(selection.ids, states)
          : batchesOfQuery(inbox, { ...selection.query, ...(cursor && { before: cursor }) }, signal)
      const search = 'query' in selection ? searchText(selection.query) : body.search
      const entry = entryOf(context, name, { search, reason, handler }, operationId)
      let count = 0
      let next: number | undefined
      for await (const batch of batches) {
        if (dryRun) count += await countChanges(inbox, batch.deliveries, operation, { handler, states })
        else for (const one of batch.selections) count += await apply(inbox, one, entry, { reason, handler })
        next = batch.next
      }
      if (!dryRun) logAction(api, context, { act: name, what: { ...selection, handler }, count, reason })
      return { count, next: next === undefined ? undefined : cursorBefore(next) }
    },
  })
}

/**
 * The maximum number of ids in one transaction. It is small, because with SQLite, new deliveries wait until the
 * transaction ends. Also the number of deliveries in a page of a query.
 */
const maxAtOnce = 500

/** Milliseconds after which an operation on the deliveries of a query answers, although some are left. */
const maxDuration = 5000

/** Deliveries that are changed together. A dry run looks up an unknown state. */
interface Batch {
  deliveries: readonly { id: number; state?: DeliveryState }[]
  /** The same deliveries, as the operation selects them. */
  selections: readonly SelectedIds[]
  /** Where the next batch starts; `undefined` after the last one. */
  next?: number | undefined
}

function* batchesOfIds(ids: readonly number[], states: SelectedIds['states']): Generator<Batch> {
  for (let start = 0; start < ids.length; start += maxAtOnce) {
    const some = ids.slice(start, start + maxAtOnce)
    yield { deliveries: some.map((id) => ({ id })), selections: [{ ids: some, states }] }
  }
}

/** Ends when the time is up, or when the client has closed the connection. */
async function* batchesOfQuery(inbox: Store, query: Query, signal: AbortSignal): AsyncGenerator<Batch> {
  const end = performance.now() + maxDuration
  let { before } = query
  do {
    const { deliveries, next } = await inbox.list({ ...query, before, limit: maxAtOnce })
    yield { deliveries, selections: selectionsOf(deliveries), next }
    before = next
  } while (before !== undefined && performance.now() < end && !signal.aborted)
}

/** Counts the deliveries that the operation would change. */
async function countChanges(
  inbox: Store,
  deliveries: Batch['deliveries'],
  { states: changedStates, changesTasks }: Operation,
  { handler, states }: { handler: string | undefined; states: SelectedIds['states'] },
): Promise<number> {
  const detailsOf = async (some: Batch['deliveries']) => {
    const details = await Promise.all(some.map(({ id }) => inbox.get(id)))
    return details.flatMap((one) => (one && (!states || states.includes(one.state)) ? [one] : []))
  }
  if (handler !== undefined) {
    return (await detailsOf(deliveries)).filter((one) => isRestartable(one, handler)).length
  }
  const isChanged = (state: DeliveryState | undefined) => state !== undefined && changedStates.includes(state)
  const others = deliveries.filter(({ state }) => state === undefined || (changesTasks && !isChanged(state)))
  const changed = (await detailsOf(others)).filter((one) => isChanged(one.state) || changesTasks?.(one.tasks))
  return deliveries.filter(({ state }) => isChanged(state)).length + changed.length
}

/**
 * Whether a retry of one handler changes a delivery. A delivery that waits to be matched may have tasks of the last run.
 */
const isRestartable = ({ state, tasks }: DeliveryDetail, handler: string): boolean => {
  const isMatched = state !== 'pending' || tasks.some((task) => task.state === 'pending')
  return isMatched && tasks.some((task) => task.handler === handler && restartableStates.includes(task.state))
}
