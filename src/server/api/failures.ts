import { ProblemError } from '../problem.ts'
import { entryOf, logAction } from './audit.ts'
import { placeAfter } from './cursor.ts'
import { type ApiContext, type Route, route } from './route.ts'
import { FailuresQuery } from './schemas/requests.ts'

const noGroup = (id: string | number): ProblemError =>
  new ProblemError(
    'not_found',
    `There is no failure group ${id}: it never existed, or all of its failures are resolved`,
  )

/** The routes to list failure groups, and to retry or discard the failed tasks of a group. */
export const failures = (api: ApiContext): Route[] => [
  route({
    method: 'get',
    path: '/failures',
    operationId: 'listFailures',
    summary: 'List failure groups: unresolved failures of a handler with the same error, the latest failure first',
    query: FailuresQuery,
    answer: 'Failures',
    async handle({ query: { cursor, ...query } }) {
      const { groups, next, total } = await api.inbox.failureGroups({ ...query, after: cursor }, Date.now())
      return { failures: groups, total, next: next && placeAfter(next) }
    },
  }),
  route({
    method: 'get',
    path: '/failures/{id}',
    operationId: 'getFailure',
    summary: 'Get a failure group with its newest failure',
    answer: 'FailureDetail',
    notFound: noGroup,
    handle: async ({ id }) => (await api.inbox.failureGroup(id, Date.now())) ?? throwMissing(id),
  }),
  operationRoute(api, 'retry', 'Retry the dead and retrying tasks of a failure group'),
  operationRoute(api, 'discard', 'Discard the dead and retrying tasks of a failure group'),
]

function operationRoute(api: ApiContext, act: 'retry' | 'discard', summary: string): Route {
  const { inbox } = api
  return route({
    method: 'post',
    path: `/failures/{id}/${act}`,
    operationId: `${act}Failures`,
    summary,
    body: act === 'retry' ? 'DryRun' : 'DryRunAndReason',
    answer: 'Count',
    notFound: noGroup,
    async handle({ context, id, body }) {
      const { dryRun, reason }: { dryRun?: boolean | undefined; reason?: string | undefined } = body
      const group = (await inbox.failureGroup(id, Date.now())) ?? throwMissing(id)
      if (dryRun) return { count: group.tasks.dead + group.tasks.retrying }
      const entry = entryOf(context, act, { failureGroup: id, handler: group.handler, reason })
      const count =
        act === 'retry'
          ? await inbox.retryFailures(id, entry)
          : await inbox.discardFailures(id, reason ?? 'Discarded by an operator', entry)
      logAction(api, context, { act: `${act} failures`, what: { id, handler: group.handler }, count, reason })
      return { count }
    },
  })
}

function throwMissing(id: number): never {
  throw noGroup(id)
}
