import type { Context } from 'hono'
import type { Registration } from '../../handler.ts'
import type { Failure } from '../../inbox/records.ts'
import { readSchedules, type StoredSchedules } from '../../schedules/stored-schedules.ts'
import { ProblemError } from '../problem.ts'
import { entryOf, logAction } from './audit.ts'
import { type ApiContext, type Route, route } from './route.ts'
import type { Handler } from './schemas/responses.ts'

export const handlers = (api: ApiContext): Route[] => [
  route({
    method: 'get',
    path: '/handlers',
    operationId: 'listHandlers',
    summary: 'List the handlers of this process, and the names of handlers of other processes',
    answer: 'Handlers',
    handle: async () => ({ handlers: await handlersIn(api) }),
  }),
  setPaused(api, 'pause', 'Pause a handler in every process that uses the inbox'),
  setPaused(api, 'resume', 'Resume a handler that was paused by name'),
  setAllPaused(api, 'pause', 'Pause all handlers in every process that uses the inbox'),
  setAllPaused(api, 'resume', 'Resume all handlers, except those that were paused by name'),
]

/** The name that stands for all handlers in the inbox. */
const all = '*'

async function handlersIn({ inbox, hooks }: ApiContext): Promise<Handler[]> {
  const [overview, failures, stored] = await Promise.all([inbox.overview(), inbox.failures(), readSchedules(inbox)])
  const own = hooks.registrations.map(described)
  const known = new Set(own.map(({ name }) => name))
  const others = overview.handlers.filter((name) => !known.has(name))
  const isPaused = (name: string) => overview.paused.includes(name) || overview.paused.includes(all)
  return [...own, ...others.map((name) => ({ name, elsewhere: true as const }))].map((handler) => {
    const { name } = handler
    return {
      ...{ ...handler, paused: isPaused(name), lastFailure: lastFailureOf(name, failures) },
      schedule: scheduleOf(name, stored),
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
    handle: ({ context }) => setPause(api, context, act, all),
  })
}

async function setPause(api: ApiContext, context: Context, act: Act, handler: string): Promise<{ paused: string[] }> {
  await api.inbox[act](handler, entryOf(context, act, { handler }))
  logAction(api, context, { act, what: { handler }, count: 1 })
  return { paused: (await api.inbox.overview()).paused }
}

/** @throws {ProblemError} for an unknown handler. A paused handler is known even if no process registers it now. */
async function assertHandler(handler: string, { hooks, inbox }: ApiContext): Promise<void> {
  const overview = await inbox.overview()
  const names = [...new Set([...hooks.registrations.map(({ name }) => name), ...overview.handlers])]
  if (handler !== all && (names.includes(handler) || overview.paused.includes(handler))) return
  const known = names.length > 0 ? `the handlers are ${names.join(', ')}` : 'no process has handlers'
  throw new ProblemError('not_found', `There is no handler ${handler}: ${known}`)
}
