import { type HookError, isHookError } from '../errors.ts'
import { isResponse, problemReply } from '../http.ts'
import type { MountOptions } from '../options.ts'
import { type Incoming, IncomingRequest, type IncomingTraits, leaveUnread, type Outgoing } from './incoming.ts'
import { type Mountable, mount } from './mount.ts'
import { headersOf, streamOf } from './outgoing.ts'

export type { Incoming, Outgoing }

/** The members of Koa's context that are used. */
export interface KoaContext {
  req: Incoming
  res: Outgoing
  path: string
  ip: string
  request: object
  status: number
  body: unknown
  set(headers: Record<string, string | string[]>): unknown
}

/** A middleware for Koa 2 and 3. */
export type KoaHandler = (context: KoaContext, next: () => Promise<unknown>) => Promise<unknown>

const traits: IncomingTraits<KoaContext> = {
  kept: ({ request }) => keptByParser(request),
  frameworkAddress: ({ ip }) => ip,
  cure: 'put app.use(hookserver(hooks)) before the body parser, or use one that keeps ctx.request.rawBody',
}

/** The key under which koa-body keeps the unparsed text. */
const unparsed = Symbol.for('unparsedBody')

/**
 * Serves deliveries in Koa: `app.use(hookserver(hooks, options))`. The errors of rejected requests and failed handlers
 * are thrown, as `ctx.throw()` does.
 */
export function hookserver(hooks: Mountable, options?: MountOptions): KoaHandler {
  const receiver = mount(hooks, options, { clientAddresses: ['framework', 'cloudflare'] }, hookserver)
  return async (context, next) => {
    const { req, path } = context
    if (!receiver.matches(path)) return next()
    const delivery = new IncomingRequest(req, path, context, traits)
    const reply = await receiver.receive(delivery).catch((error: HookError) => {
      leaveUnread(req, context.res)
      context.set(error.headers)
      throw error
    })
    context.set(isResponse(reply) ? headersOf(reply) : reply.headers)
    context.body = (isResponse(reply) ? streamFor(context, reply) : reply.body) ?? ''
    context.status = reply.status
    return undefined
  }
}

/**
 * A middleware for Koa: `app.use(errorHandler)`, before everything else. Replies to the errors of rejected requests and
 * failed handlers with `application/problem+json`, where Koa would reply with plain text. Throws all other errors on.
 */
export async function errorHandler(context: KoaContext, next: () => Promise<unknown>): Promise<void> {
  try {
    await next()
  } catch (error) {
    if (!isHookError(error)) throw error
    const { status, headers, body } = problemReply(error)
    context.set(headers)
    context.body = body
    context.status = status
  }
}

/** The body of a `Response`. If it fails, closes the connection: Koa 2 leaves it open after an incomplete reply. */
function streamFor({ res }: KoaContext, reply: Response): object | null {
  const body = streamOf(reply)
  body?.once('error', () => res.destroy())
  return body
}

function keptByParser(request: object): readonly unknown[] {
  const { rawBody, body } = request as { rawBody?: unknown; body?: { [unparsed]?: unknown } | null }
  return [rawBody, body?.[unparsed], body]
}
