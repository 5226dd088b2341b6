import { type HookError, isHookError } from '../errors.ts'
import { problemReply } from '../http.ts'
import type { MountOptions } from '../options.ts'
import { type Incoming, IncomingRequest, type IncomingTraits, leaveUnread, pathOf } from './incoming.ts'
import { type Mountable, mount } from './mount.ts'
import { keptBodies } from './node.ts'
import { type NodeResponse, writeReply } from './outgoing.ts'

export type { Incoming, NodeResponse }

/** A middleware for Express 4 and 5. */
export type ExpressHandler = (
  request: Incoming & { ip?: string | undefined },
  response: NodeResponse,
  next: (error?: unknown) => void,
) => void

const traits: IncomingTraits<{ ip?: string | undefined }> = {
  kept: keptBodies,
  frameworkAddress: ({ ip }) => ip,
  cure: 'put app.use(hookserver(hooks)) before app.use(express.json()), or keep the bytes in request.rawBody with the option "verify" of express.json()',
}

/**
 * Serves deliveries in Express: `app.use(hookserver(hooks, options))`. With `app.use('/prefix', …)`, the path of the
 * webhook is the prefix followed by `path`. The errors of rejected requests and failed handlers go to `next(error)`,
 * like any error of the application.
 */
export function hookserver(hooks: Mountable, options?: MountOptions): ExpressHandler {
  const receiver = mount(hooks, options, { clientAddresses: ['framework', 'cloudflare'] }, hookserver)
  return (request, response, next) => {
    const path = pathOf(request.url)
    if (!receiver.matches(path)) return next()
    receiver.receive(new IncomingRequest(request, path, request, traits)).then(
      (reply) => writeReply(response, reply),
      (error: HookError) => {
        leaveUnread(request, response)
        const headers = response.headersSent ? [] : Object.entries(error.headers)
        for (const [name, value] of headers) response.setHeader(name, value)
        next(error)
      },
    )
  }
}

/**
 * An error handler for Express: `app.use(errorHandler)`, after everything else. Replies to the errors of rejected
 * requests and failed handlers with `application/problem+json`. Express would reply with HTML, and print the errors,
 * which hookserver has logged. Passes all other errors on.
 */
export function errorHandler(
  error: unknown,
  _request: object,
  response: NodeResponse,
  next: (error?: unknown) => void,
): void {
  if (isHookError(error) && !response.headersSent) void writeReply(response, problemReply(error))
  else next(error)
}
