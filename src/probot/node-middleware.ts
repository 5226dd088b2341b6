import type { IncomingMessage, ServerResponse } from 'node:http'
import { leaveUnread } from '../adapters/incoming.ts'
import type { Mountable } from '../adapters/mount.ts'
import { hookserver, type NodeHandler } from '../adapters/node.ts'
import type { Logger } from './log.ts'
import type { RequestHandler } from './options.ts'

/**
 * A listener for `http.createServer()`, and a middleware for Express. Resolves to `true` if it has handled the request.
 * Without `next`, it replies 404 to requests that nothing handles.
 */
export type NodeMiddleware = NodeHandler

interface ServedPaths {
  path?: string | undefined
  /** The handlers of other paths. Default: those that apps have added. */
  handlers?: readonly RequestHandler[]
}

/** Serves the deliveries of an app that is loaded, and the other paths that it handles. */
export function nodeMiddleware(
  probot: { hooks: Mountable; webhookPath: string; handlers: readonly RequestHandler[]; log: Logger },
  { path = probot.webhookPath, handlers = probot.handlers }: ServedPaths = {},
): NodeMiddleware {
  const receive = hookserver(probot.hooks, { path })
  return async (request, given, next) => {
    if (await receive(request, given, () => undefined)) return true
    const response = given as ServerResponse
    if (await handleOthers(handlers, request as IncomingMessage, response)) return true
    if (next) next()
    else replyNotFound({ webhookPath: path, log: probot.log }, request as IncomingMessage, response)
    return false
  }
}

let hasWarned = false

/**
 * Replies to a request that nothing handles. Probot 9 to 12 receive deliveries at `/`, so the webhook may have that path.
 */
export function replyNotFound(
  { webhookPath, log }: { webhookPath: string; log: Logger },
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { method, url, headers } = request
  if (method === 'POST' && url === '/' && headers['x-github-event'] !== undefined && !hasWarned) {
    hasWarned = true
    const cure = 'set WEBHOOK_PATH=/, or change the address of the webhook'
    log.warn(`A delivery came to the path "/", but the app receives deliveries at ${webhookPath}: ${cure}`)
  }
  leaveUnread(request, response)
  response.writeHead(404).end()
}

/** Calls handlers until one has handled the request. @returns Whether one has. */
export async function handleOthers(
  handlers: readonly RequestHandler[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  for (const handler of handlers) {
    if (await handleOther(handler, request, response)) return true
  }
  return false
}

/** Calls a handler of another path. @returns Whether it has handled the request. */
async function handleOther(
  handler: RequestHandler,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  if (handler.length >= 3) return handleWithNext(handler, request, response)
  const returned = await handler(request, response)
  return Boolean(returned) || response.headersSent
}

/** Calls an app or a router of Express. It ends the response, calls `next()`, or fails: then the promise rejects. */
async function handleWithNext(
  handler: RequestHandler,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  if (response.closed) return true // the client has disconnected, and "close" is not emitted again
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  response.once('close', () => resolve(true))
  const returned = handler(request, response, (error) => (error ? reject(error) : resolve(false)))
  Promise.resolve(returned).catch(reject)
  return promise
}
