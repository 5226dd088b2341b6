import type { ServerResponse } from 'node:http'
import { hour } from '../../runtime/units.ts'
import { type Guard, visitorIn } from '../auth/guard.ts'
import { onClose } from '../listener.ts'
import { ProblemError } from '../problem.ts'
import { ChangeFeed } from './change-feed.ts'
import { type ApiContext, type Route, route } from './route.ts'

interface StreamLimits {
  /**
   * The maximum number of open streams of one session. A browser opens at most six connections to one server. With the
   * default, the streams use five of them, and other requests can use the sixth.
   */
  maxOfSession: number
  /** The maximum number of open streams of all read-only visitors. The rest of `maxOfAll` is left for operators. */
  maxOfReaders: number
  maxOfAll: number
  /** Milliseconds for which a client may read nothing before its connection closes. */
  idleTimeout: number
}

const defaultLimits: StreamLimits = { maxOfSession: 5, maxOfReaders: 100, maxOfAll: 200, idleTimeout: 45_000 }

const lastEventId = {
  ...{ name: 'last-event-id', in: 'header', schema: { type: 'string' } },
  description: 'Id of the last event that the client received; the stream continues after this event',
}

interface OpenStream {
  session: string
  readOnly: boolean
}

/** Streams new and changed deliveries as Server-Sent Events. */
export function stream(
  { inbox, logger }: Pick<ApiContext, 'inbox' | 'logger'>,
  guard: Guard,
  given: Partial<StreamLimits> = {},
): Route {
  const limits = { ...defaultLimits, ...given }
  const open = new Set<OpenStream>()
  const feed = new ChangeFeed(inbox)
  return route({
    method: 'get',
    path: '/stream',
    operationId: 'watch',
    summary: 'Stream new and changed deliveries as Server-Sent Events',
    headers: [lastEventId],
    responses: { 200: { description: 'Events', content: { 'text/event-stream': {} } } },
    problems: [429],
    handle({ context }) {
      const own: OpenStream = { session: guard.sessionOf(context), readOnly: visitorIn(context).readOnly }
      assertRoom(own, [...open], limits)
      const { outgoing } = context.env as { outgoing: ServerResponse }
      const closed = new AbortController()
      open.add(own)
      onClose(outgoing, () => {
        open.delete(own)
        closed.abort()
      })
      outgoing.socket?.setTimeout(limits.idleTimeout)
      const isAuthorized = () => guard.isStillIn(context)
      const events = eventStream(feed, context.req.header('last-event-id'), closed.signal, isAuthorized)
      return context.body(ReadableStream.from(untilFailure(events, logger, closed.signal)), 200, {
        'content-type': 'text/event-stream',
        'x-accel-buffering': 'no', // nginx would keep events until its buffer is full
      })
    },
  })
}

/** @throws {ProblemError} if too many streams are open. */
function assertRoom(own: OpenStream, open: readonly OpenStream[], limits: StreamLimits): void {
  const ofSession = open.filter(({ session }) => session === own.session).length
  if (ofSession >= limits.maxOfSession) {
    throw new ProblemError(
      'too_many_streams',
      `This session has ${limits.maxOfSession} open streams, the maximum: close one of them`,
    )
  }
  const ofReaders = open.filter(({ readOnly }) => readOnly).length
  if (open.length >= limits.maxOfAll || (own.readOnly && ofReaders >= limits.maxOfReaders)) {
    throw new ProblemError('too_many_streams', 'Too many streams are open: try again later')
  }
}

/** Ends the stream if the inbox fails. The client then opens a new one. */
async function* untilFailure(
  events: AsyncGenerator<Uint8Array>,
  logger: ApiContext['logger'],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* events
  } catch (err) {
    if (!signal.aborted) logger.warn({ err }, 'Stream of changes ended: the inbox failed')
  }
}

/** Milliseconds without an event until a comment is sent, because proxies close a connection after an idle minute. */
const heartbeatInterval = 15_000
/** The lifetime of a stream in milliseconds. After its end, the client opens a new one, and is authorized again. */
const maxAge = hour
/** Milliseconds after the end of a stream until a browser reconnects. */
const retryDelay = 2000

/**
 * The changes of an inbox as Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html). Reads
 * on only after the client has taken the earlier events, so nothing is buffered for a slow client.
 * @param after The `id` of the last event that the client received. Default: the stream starts with the next change.
 * @param isAuthorized Whether the client may still read.
 */
export async function* eventStream(
  feed: ChangeFeed,
  after: string | undefined,
  signal: AbortSignal,
  isAuthorized: () => boolean | Promise<boolean> = () => true,
): AsyncGenerator<Uint8Array> {
  const end = performance.now() + maxAge
  let position = after ?? (await feed.start())
  yield encoded(`retry: ${retryDelay}\n${eventOf('ready', {}, position)}`)
  let sentAt = performance.now()
  while (!signal.aborted && (await isAuthorized()) && performance.now() < end) {
    const { deliveries, gap, ...changes } = await feed.next(position)
    position = changes.position
    const events = deliveries.map((delivery, index) => {
      // Only the last event has the position. So a client that received only some of these events receives all of them
      // again after it reconnects.
      return eventOf('delivery', delivery, index === deliveries.length - 1 ? position : undefined)
    })
    if (gap) events.push(eventOf('reset', {}, position))
    if (events.length === 0 && performance.now() - sentAt > heartbeatInterval) events.push(': still here\n\n')
    if (events.length > 0) {
      yield encoded(events.join(''))
      sentAt = performance.now()
    }
  }
}

const eventOf = (name: string, data: object, id: string | undefined): string =>
  `event: ${name}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`

const encoded = (text: string): Uint8Array => new TextEncoder().encode(text)
