import type { HookError } from '../errors.ts'
import { type HookRequest, isResponse } from '../http.ts'
import type { MountOptions } from '../options.ts'
import { createHmac } from './hmac.ts'
import { type Incoming, IncomingRequest, leaveUnread, type Outgoing, pathOf } from './incoming.ts'
import { type Mountable, mount } from './mount.ts'
import { WebRequest } from './web-request.ts'

/** The members of Hono's context that are used. */
export interface HonoContext {
  req: { raw: Request; path: string; routePath: string; bodyCache: object }
  env: unknown
  readonly executionCtx: { waitUntil(work: Promise<unknown>): void }
  header(name: string, value: string): void
}

/** A middleware for Hono 4. */
// biome-ignore lint/suspicious/noExplicitAny: Hono's context is generic in the variables of the application
export type HonoHandler = (context: any, next: () => Promise<void>) => Promise<Response | undefined>

const cure = 'put app.use(hookserver(hooks)) before the middleware that reads the body'

/**
 * Serves deliveries in Hono: `app.use(hookserver(hooks, options))`. The errors of rejected requests and
 * failed handlers are thrown to `app.onError()`. Without an `onError()` of the application, the reply is
 * `application/problem+json`. The client's address is that of the socket of `@hono/node-server`. On other platforms use
 * the option `clientAddress`.
 */
export function hookserver(hooks: Mountable, options?: MountOptions): HonoHandler {
  const receiver = mount(hooks, options, {}, hookserver)
  return async (context: HonoContext, next) => {
    const path = withoutPrefix(context.req)
    if (!receiver.matches(path)) {
      await next()
      return undefined
    }
    const binding = nodeBinding(context.env)
    try {
      const reply = await receiver.receive(requestOf(context, path, binding?.incoming))
      return isResponse(reply) ? reply : new Response(reply.body, reply)
    } catch (error) {
      if (binding) leaveUnread(binding.incoming, binding.outgoing)
      for (const [name, value] of Object.entries((error as HookError).headers)) context.header(name, value)
      throw error
    }
  }
}

/** The members of Hono's cache that have all bytes of a body, or its text. `json()` also stores the text. */
interface BodyCache {
  text?: Promise<string>
  arrayBuffer?: Promise<ArrayBuffer>
  blob?: Promise<Blob>
}

function requestOf(context: HonoContext, path: string, incoming: Incoming | undefined): HookRequest {
  const { raw, bodyCache } = context.req
  const { text, arrayBuffer, blob } = bodyCache as BodyCache
  const kept = text ?? arrayBuffer ?? blob?.then((one) => one.arrayBuffer())
  if (incoming && createHmac && !kept && isUnread(raw)) return new IncomingRequest(incoming, path, context, { cure })
  const address = incoming?.socket?.remoteAddress
  return new WebRequest(raw, {
    path,
    address,
    native: [context],
    kept: () => kept,
    waitUntil: waitUntilOf(context),
    cure,
  })
}

/**
 * Whether this is the request that `@hono/node-server` created, and no middleware has used its body. When a middleware
 * first uses the body, the server creates a web stream, which takes the chunks of Node's stream. So both must not be
 * read. Neither Hono nor the server says whether the stream exists; the server stores it under a symbol. If the server
 * renames its symbols, hookserver always reads the web stream, which takes longer.
 */
function isUnread(raw: Request): boolean {
  const symbols = Object.getOwnPropertySymbols(raw).map(({ description }) => description)
  return symbols.includes('incomingKey') && !symbols.includes('requestCache')
}

/** `@hono/node-server` puts Node's request and response into `env`. */
function nodeBinding(env: unknown): { incoming: Incoming; outgoing: Outgoing } | undefined {
  const { incoming, outgoing } = (env ?? {}) as { incoming?: Incoming; outgoing?: Outgoing }
  return incoming?.socket && outgoing ? { incoming, outgoing } : undefined
}

/**
 * The path without the prefix of `app.route('/prefix', …)` and `basePath()`. The route of the middleware contains this
 * prefix. Hono decodes the path, and hookserver compares it as it was sent.
 */
function withoutPrefix({ raw, path: decoded, routePath }: HonoContext['req']): string {
  const sent = pathOf(raw.url)
  const path = sent.includes('%') ? sent : decoded
  if (!routePath.endsWith('/*')) return path
  const segments = routePath.split('/').length - 1
  return `/${path.split('/').slice(segments).join('/')}`
}

function waitUntilOf(context: HonoContext): ((work: Promise<unknown>) => void) | undefined {
  try {
    const { executionCtx } = context
    return (work) => executionCtx.waitUntil(work)
  } catch {
    return undefined // the getter throws on a platform without an execution context
  }
}
