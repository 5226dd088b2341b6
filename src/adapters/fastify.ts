import type { HookError } from '../errors.ts'
import { isResponse, type Receiver } from '../http.ts'
import type { MountOptions } from '../options.ts'
import { cutStack } from '../runtime/call-site.ts'
import { isObject } from '../runtime/json.ts'
import { type Incoming, IncomingRequest, type IncomingTraits, leaveUnread, type Outgoing, pathOf } from './incoming.ts'
import { isMountable, type Mountable, mount } from './mount.ts'
import { type NodeResponse, writeReply } from './outgoing.ts'

/** The members of Fastify's request, reply and instance that are used. */
interface FastifyRequestLike {
  raw: Incoming
  body?: unknown
  rawBody?: unknown
  ip: string
}
interface FastifyReplyLike {
  raw: Outgoing & NodeResponse
  callNotFound(): unknown
  hijack(): unknown
  code(status: number): unknown
  headers(values: Record<string, string | string[]>): unknown
  send(body?: unknown): unknown
}
interface FastifyLike {
  removeAllContentTypeParsers(): unknown
  addContentTypeParser(
    type: string,
    parser: (request: never, body: unknown, done: (error: null, body: unknown) => void) => void,
  ): unknown
  all(url: string, handler: (request: never, reply: never) => Promise<unknown>): unknown
}

/** Options of `app.register(hookserver, options)`, with Fastify's own (`prefix`, `logLevel`). */
export interface FastifyHooksOptions extends MountOptions {
  /** The `Hooks` that receives the deliveries. */
  hooks: Mountable
}

const traits: IncomingTraits<FastifyRequestLike> = {
  kept: ({ rawBody, body }) => [rawBody, body],
  frameworkAddress: ({ ip }) => ip,
  cure: 'a hook of Fastify read the body first: register hookserver outside of the scope of that hook, or make the hook keep the bytes in request.rawBody',
}

/** Fastify's own options of `register()`. */
const fastifyOptions = ['prefix', 'logLevel', 'logSerializers']

/**
 * Mounts `hooks`. Fastify calls the plugin after the program has called `app.register()`, so the stack of an error cannot
 * show the line of the program. The message names the plugin instead.
 */
function mountPlugin(hooks: Mountable, options: MountOptions): Receiver {
  try {
    return mount(hooks, options, { clientAddresses: ['framework', 'cloudflare'] })
  } catch (error) {
    if (error instanceof Error) {
      error.message = `app.register(hookserver): ${error.message}`
      cutStack(error, mountPlugin) // the old stack has the old message
    }
    throw error
  }
}

/**
 * Serves deliveries in Fastify 4 and 5: `app.register(hookserver, { hooks, ...options })`. The plugin has a
 * content-type parser that leaves the body unread, and that applies only to the scope of the plugin. The errors of
 * rejected requests and failed handlers are thrown to the error handler.
 */
export async function hookserver(app: unknown, given: FastifyHooksOptions): Promise<void> {
  if (!isObject(given) || !isMountable(given.hooks)) {
    const cure = 'use app.register(hookserver, { hooks }) with an instance of Hooks'
    throw new TypeError(`hookserver is a plugin with options: ${cure}`)
  }
  const { hooks, ...others } = given
  const options = Object.fromEntries(Object.entries(others).filter(([name]) => !fastifyOptions.includes(name)))
  const receiver = mountPlugin(hooks, options)
  const scope = app as FastifyLike
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, body, done) => done(null, body))
  scope.all(receiver.path || '*', async (request: FastifyRequestLike, reply: FastifyReplyLike) => {
    const { raw } = request
    // The router has compared the path already, with the prefix of the plugin. It decodes escapes first, and Fastify 4
    // ignores what follows a semicolon.
    const path = pathOf(raw.url)
    if (receiver.path && /[%;]/.test(path) && !path.endsWith(receiver.path)) return reply.callNotFound()
    const delivery = new IncomingRequest(raw, undefined, request, traits)
    const answer = await receiver.receive(delivery).catch((error: HookError) => {
      leaveUnread(raw, reply.raw)
      reply.headers(error.headers)
      throw error
    })
    if (isResponse(answer)) {
      // Not through Fastify: if the stream of the body failed, Fastify would send the error message to the sender.
      reply.hijack()
      return writeReply(reply.raw, answer)
    }
    reply.code(answer.status)
    reply.headers(answer.headers)
    return reply.send(answer.body ?? undefined)
  })
}
