import type { HookError } from '../errors.ts'
import { problemReply } from '../http.ts'
import type { MountOptions } from '../options.ts'
import { type Incoming, IncomingRequest, type IncomingTraits, leaveUnread, pathOf } from './incoming.ts'
import { type Mountable, mount } from './mount.ts'
import { type NodeResponse, writeReply } from './outgoing.ts'

export type { Incoming, NodeResponse }

/**
 * A listener for `http.createServer()` and `http2.createServer()`, and a connect middleware. Resolves to `true` once it
 * has written a reply, and to `false` if it has called `next()` instead.
 */
export type NodeHandler = (
  request: Incoming,
  response: NodeResponse,
  next?: (error?: unknown) => void,
) => Promise<boolean>

const traits: IncomingTraits<object> = {
  kept: keptBodies,
  cure: 'mount hookserver before the middleware that reads the body, or keep the bytes in request.rawBody (in Next.js pages: export const config = { api: { bodyParser: false } })',
}

/**
 * Serves deliveries on plain Node.js: `createServer(hookserver(hooks, options))`. The reply to a rejected request or
 * after a failed handler is `application/problem+json`. The listener replies 404 to requests for other paths, unless it
 * gets `next`: then it calls `next()`, as a connect middleware does.
 */
export function hookserver(hooks: Mountable, options?: MountOptions): NodeHandler {
  const receiver = mount(hooks, options, {}, hookserver)
  return async (request, response, next) => {
    const path = pathOf(request.url)
    if (next && !receiver.matches(path)) {
      next()
      return false
    }
    try {
      await writeReply(response, await receiver.receive(new IncomingRequest(request, path, request, traits)))
    } catch (error) {
      leaveUnread(request, response)
      await writeReply(response, problemReply(error as HookError))
    }
    return true
  }
}

/** The members in which express.raw(), body-parser's `verify`, Google Cloud Functions and others keep a body. */
export function keptBodies(request: object): readonly unknown[] {
  const { rawBody, body } = request as { rawBody?: unknown; body?: unknown }
  return [rawBody, body]
}
