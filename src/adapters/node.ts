import type { HookError } from '../errors.ts'
import { problemReply } from '../http.ts'
import type { HooksOptions } from '../options.ts'
import { type Incoming, IncomingRequest, type IncomingTraits, leaveUnread, pathOf } from './incoming.ts'
import { type Mountable, mount } from './mount.ts'
import { type NodeResponse, writeReply } from './outgoing.ts'

/** A listener for `http.createServer()`, and a connect middleware. */
export type NodeHandler = (request: Incoming, response: NodeResponse, next?: (error?: unknown) => void) => Promise<void>

const traits: IncomingTraits<object> = {
  kept: keptBodies,
  cure: 'mount hookserver before the middleware that reads the body, or keep the bytes in request.rawBody (in Next.js pages: export const config = { api: { bodyParser: false } })',
}

/**
 * Serves deliveries on plain Node.js: `createServer(hookserver(hooks, options))`. The reply to a rejected request is
 * `application/problem+json`. As a connect middleware it calls `next()` for other paths.
 */
export function hookserver(hooks: Mountable, options?: HooksOptions): NodeHandler {
  const receiver = mount(hooks, options)
  return async (request, response, next) => {
    const path = pathOf(request.url)
    if (next && !receiver.matches(path)) return next()
    try {
      await writeReply(response, await receiver.receive(new IncomingRequest(request, path, request, traits)))
    } catch (error) {
      leaveUnread(request, response)
      await writeReply(response, problemReply(error as HookError))
    }
  }
}

/** The members in which express.raw(), body-parser's `verify`, Google Cloud Functions and others keep a body. */
export function keptBodies(request: object): readonly unknown[] {
  const { rawBody, body } = request as { rawBody?: unknown; body?: unknown }
  return [rawBody, body]
}
