import type { Registration } from '../../handler.ts'
import type { Failure } from '../../inbox/records.ts'
import { ProblemError } from '../problem.ts'
import { type ApiContext, audit, type Route, route } from './route.ts'
import type { Handler } from './schemas/responses.ts'

export const handlers = (api: ApiContext): Route[] => [
  route({
    method: 'get',
    path: '/hooks',
    operationId: 'listHooks',
    summary: 'List the handlers of this process, and the names of handlers of other processes',
    answer: 'Handlers',
    handle: async () => ({ hooks: await hooksIn(api) }),
  }),
  setPaused(api, 'pause', 'Pause a handler, or all handlers, in every process that uses the inbox'),
  setPaused(
    api,
    'resume',
    'Resume a handler, or all handlers; a handler that was paused by name must be resumed by name',
  ),
]

async function hooksIn({ inbox, hooks }: ApiContext): Promise<Handler[]> {
  const [overview, failures] = await Promise.all([inbox.overview(), inbox.failures()])
  const own = hooks.registrations.map(described)
  const known = new Set(own.map(({ name }) => name))
  const others = overview.handlers.filter((name) => !known.has(name))
  const isPaused = (name: string) => overview.paused.includes(name) || overview.paused.includes('*')
  return [...own, ...others.map((name) => ({ name, elsewhere: true as const }))].map((hook) => {
    return { ...hook, paused: isPaused(hook.name), lastFailure: lastFailureOf(hook.name, failures) }
  })
}

/** A handler as the API shows it. An `order` function becomes the text `function`, because JSON omits functions. */
function described({ name, events, replies, options }: Registration) {
  const order = typeof options.order === 'function' ? { order: 'function' } : {}
  return { name, events: [...events], replies, options: { ...options, ...order } }
}

function lastFailureOf(name: string, failures: readonly Failure[]): Omit<Failure, 'handler'> | undefined {
  const { handler: _, ...failure } = failures.find(({ handler }) => handler === name) ?? {}
  return 'id' in failure ? failure : undefined
}

function setPaused(api: ApiContext, act: 'pause' | 'resume', summary: string): Route {
  const { inbox } = api
  return route({
    method: 'post',
    path: `/${act}`,
    operationId: act,
    summary,
    body: 'HandlerName',
    answer: 'Paused',
    problems: [404],
    async handle({ context, body: { handler } }) {
      await assertHandler(handler, api)
      await inbox[act](handler)
      audit(api, context, { act, what: { handler }, count: 1 })
      return { paused: (await inbox.overview()).paused }
    },
  })
}

/** @throws {ProblemError} for an unknown handler. A paused handler is known even if no process registers it now. */
async function assertHandler(handler: string, { hooks, inbox }: ApiContext): Promise<void> {
  const overview = await inbox.overview()
  const names = [...new Set([...hooks.registrations.map(({ name }) => name), ...overview.handlers])]
  if (handler === '*' || names.includes(handler) || overview.paused.includes(handler)) return
  const known = names.length > 0 ? `the handlers are ${names.join(', ')}` : 'no process has handlers'
  throw new ProblemError('not_found', `There is no handler ${handler}: ${known}`)
}
