import type { Context } from 'hono'
import type { Registration } from '../../handler.ts'
import type { Failure } from '../../inbox/failure.ts'
import { Unanswerable } from '../problem.ts'
import { readJson } from './json-body.ts'
import { audit, type Operated } from './operated.ts'
import type { Route } from './route.ts'
import { answer, body, problems } from './schemas.ts'
import { aText } from './values.ts'

/** Who handles, and who does not for the time being. */
export function hooks(operated: Operated): Route[] {
  const { inbox } = operated
  return [
    {
      method: 'get',
      path: '/hooks',
      operation: {
        operationId: 'listHooks',
        summary: 'The handlers that are registered in this process, and the names of those of others',
        responses: { 200: answer('Hooks') },
      },
      async answer(context) {
        const [tally, failures] = await Promise.all([inbox.overview(), inbox.failures()])
        const own = operated.hooks.registrations.map(shown)
        const known = new Set(own.map(({ name }) => name))
        const others = tally.handlers.filter((name) => !known.has(name)).map((name) => ({ name, elsewhere: true }))
        const isPaused = (name: string) => tally.paused.includes(name) || tally.paused.includes('*')
        const hooks = [...own, ...others].map((one) => {
          return { ...one, paused: isPaused(one.name), lastFailure: lastOf(failures, one.name) }
        })
        return context.json({ hooks })
      },
    },
    steer('pause', 'Keep a handler, or all, from being begun, in every process that shares the inbox', operated),
    steer(
      'resume',
      'Let a handler be begun again; one that was paused by its own name stays so when all resume',
      operated,
    ),
  ]
}

/** JSON has no functions: such options, and the handler itself, are left out; of an order it is told that there is one. */
function shown({ name, events, replies, options }: Registration) {
  const order = typeof options.order === 'function' ? { order: 'function' } : {}
  return { name, events, replies, options: { ...options, ...order } }
}

function lastOf(failures: readonly Failure[], name: string): Omit<Failure, 'handler'> | undefined {
  const { handler: _, ...failure } = failures.find(({ handler }) => handler === name) ?? {}
  return 'id' in failure ? failure : undefined
}

function steer(act: 'pause' | 'resume', summary: string, operated: Operated): Route {
  return {
    method: 'post',
    path: `/${act}`,
    operation: {
      operationId: act,
      summary,
      requestBody: body('Handler', false),
      responses: { 200: answer('Paused'), ...problems(400, 404, 413, 415) },
    },
    async answer(context: Context) {
      const { handler = '*' } = await readJson(context, ['handler'])
      if (typeof handler !== 'string' || aText.read(handler) === undefined) {
        throw Unanswerable.because([{ name: 'handler', expected: 'the name of a handler, or * for all' }])
      }
      await checkHandler(handler, operated)
      await operated.inbox[act](handler)
      audit(operated, context, { act, what: { handler }, count: 1 })
      return context.json({ paused: (await operated.inbox.overview()).paused })
    },
  }
}

/** One that was paused and is registered no longer can still be resumed. @throws {Unanswerable} */
async function checkHandler(handler: string, { hooks, inbox }: Operated): Promise<void> {
  const tally = await inbox.overview()
  const names = [...new Set([...hooks.registrations.map(({ name }) => name), ...tally.handlers])]
  if (handler === '*' || names.includes(handler) || tally.paused.includes(handler)) return
  const known = names.length > 0 ? `there are ${names.join(', ')}` : 'no process has any'
  throw new Unanswerable('not_found', `There is no handler ${handler}: ${known}`)
}
