import type { Context } from 'hono'
import type { Registration } from '../../handler.ts'
import { allHandlers, isPaused } from '../../inbox/pauses.ts'
import type { Failure } from '../../inbox/records.ts'
import { readSchedules, type StoredSchedules } from '../../schedules/stored-schedules.ts'
import { ProblemError } from '../problem.ts'
import { entryOf, logAction } from './audit.ts'
import { HandlerStatisticsReader } from './handler-statistics.ts'
import { type ApiContext, type Route, route } from './route.ts'
import { HandlersQuery } from './schemas/requests.ts'
import type { Handler } from './schemas/responses.ts'

export const handlers = (api: ApiContext): Route[] => [
  route({
    method: 'get',
    path: '/handlers',
    operationId: 'listHandlers',
    summary: 'List the handlers of this process, and the names of handlers of other processes',
    query: HandlersQuery,
    answer: 'Handlers',
    handle: async ({ query: { window } }) => {
      const statistics = await HandlerStatisticsReader.read(api.inbox, window, Date.now())
      return { handlers: await handlersIn(api, statistics) }
    },
  }),
  route({
    method: 'get',
    path: '/handlers/{name}',
    operationId: 'getHandler',
    summary: 'Get a handler, with its latencies and its waiting tasks over time',
    query: HandlersQuery,
    answer: 'HandlerDetail',
    problems: [404],
    handle: async ({ context, query: { window } }) => {
      const name = context.req.param('name') ?? ''
      const statistics = await HandlerStatisticsReader.read(api.inbox, window, Date.now(), name)
      const handler = (await handlersIn(api, statistics)).find((one) => one.name === name)
      if (!handler) throw await noHandler(name, api)
      return { ...handler, series: statistics.seriesOf(name) }
    },
  }),
  setPaused(api, 'pause', 'Pause a handler in every process that uses the inbox'),
  setPaused(api, 'resume', 'Resume a handler that was paused by name'),
  setAllPaused(api, 'pause', 'Pause all handlers in every process that uses the inbox'),
  setAllPaused(api, 'resume', 'Resume all handlers, except those that were paused by name'),
]

/** The handlers of this process, those of other processes, and paused handlers that no process registers now. */
async function handlersIn({ inbox, hooks }: ApiContext, statistics: HandlerStatisticsReader): Promise<Handler[]> {
  const [overview, failures, stored] = await Promise.all([inbox.overview(), inbox.failures(), readSchedules(inbox)])
  const own = hooks.registrations.map(described)
  const known = new Set(own.map(({ name }) => name))
  const others = new Set(
    [...overview.handlers, ...overview.paused].filter((name) => name !== allHandlers && !known.has(name)),
  )
  const isRegistered = new Set(overview.handlers)
  const paused = new Set(overview.paused)
  return [
    ...own,
    ...[...others].map((name) => ({ name, ...(isRegistered.has(name) && { elsewhere: true as const }) })),
  ].map((handler) => {
    const { name } = handler
    return {
      ...{ ...handler, paused: isPaused(paused, name), lastFailure: lastFailureOf(name, failures) },
      ...{ schedule: scheduleOf(name, stored), statistics: statistics.statisticsOf(name) },
    }
  })
}

/** A handler as the API shows it. An `order` function becomes the text `function`, because JSON omits functions. */
function described({ name, events, replies, options }: Registration) {
  const order = typeof options.order === 'function' ? { order: 'function' } : {}
  return { name, events: [...events], replies, options: { ...options, ...order } }
}

function scheduleOf(name: string, stored: StoredSchedules): Handler['schedule'] {
  const { time, timezone, next } = stored.get(name) ?? {}
  return time === undefined ? undefined : { time, timezone, next }
}

function lastFailureOf(name: string, failures: readonly Failure[]): Omit<Failure, 'handler'> | undefined {
  const { handler: _, ...failure } = failures.find(({ handler }) => handler === name) ?? {}
  return 'id' in failure ? failure : undefined
}

type Act = 'pause' | 'resume'

function setPaused(api: ApiContext, act: Act, summary: string): Route {
  return route({
    method: 'post',
    path: `/handlers/{name}/${act}`,
    operationId: act,
    summary,
    body: 'EmptyBody',
    answer: 'Paused',
    problems: [404],
    async handle({ context }) {
      const name = context.req.param('name') ?? ''
      await assertHandler(name, api)
      return setPause(api, context, act, name)
    },
  })
}

/** Needs `{ "all": true }`: if a name is empty, a proxy may merge the slashes of a request for one handler. */
function setAllPaused(api: ApiContext, act: Act, summary: string): Route {
  return route({
    method: 'post',
    path: `/handlers/${act}`,
    operationId: `${act}All`,
    summary,
    body: 'AllHandlers',
    bodyRequired: true,
    answer: 'Paused',
    handle: ({ context }) => setPause(api, context, act, allHandlers),
  })
}

async function setPause(api: ApiContext, context: Context, act: Act, handler: string): Promise<{ paused: string[] }> {
  await api.inbox[act](handler, entryOf(context, act, { handler }))
  logAction(api, context, { act, what: { handler }, count: 1 })
  return { paused: (await api.inbox.overview()).paused }
}

/** @throws {ProblemError} for an unknown handler. A paused handler is known even if no process registers it now. */
async function assertHandler(handler: string, api: ApiContext): Promise<void> {
  const { handlers, paused } = await api.inbox.overview()
  const names = [...api.hooks.registrations.map(({ name }) => name), ...handlers, ...paused]
  if (handler === allHandlers || !names.includes(handler)) throw await noHandler(handler, api)
}

async function noHandler(handler: string, { hooks, inbox }: ApiContext): Promise<ProblemError> {
  const overview = await inbox.overview()
  const names = [...new Set([...hooks.registrations.map(({ name }) => name), ...overview.handlers])]
  const known = names.length > 0 ? `the handlers are ${names.join(', ')}` : 'no process has handlers'
  return new ProblemError('not_found', `There is no handler ${handler}: ${known}`)
}
