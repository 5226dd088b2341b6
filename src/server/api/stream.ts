import type { ServerResponse } from 'node:http'
import type { Guard } from '../guard.ts'
import { Unanswerable } from '../problem.ts'
import { eventStream } from './event-stream.ts'
import type { Operated } from './operated.ts'
import type { Route } from './route.ts'
import { problems } from './schemas.ts'

/** Streams at a time: of one session, since a browser keeps six connections to a server; and of all. */
const [mostOfSession, mostOfAll] = [5, 200]

/**
 * What is new and what has changed, as it happens.
 * @param patience Milliseconds after which a connection is cut that takes nothing of what is sent.
 */
export function stream({ inbox, logger }: Pick<Operated, 'inbox' | 'logger'>, guard: Guard, patience = 45_000): Route {
  const open: string[] = []
  return {
    method: 'get',
    path: '/stream',
    operation: {
      operationId: 'watch',
      summary: 'Deliveries that are new or have changed, as Server-Sent Events',
      parameters: [
        {
          ...{ name: 'last-event-id', in: 'header', schema: { type: 'string' } },
          description: 'The id of the last event that was seen: the stream goes on from there',
        },
      ],
      responses: { 200: { description: 'Events', content: { 'text/event-stream': {} } }, ...problems(429) },
    },
    answer(context) {
      const session = guard.sessionOf(context)
      if (open.length >= mostOfAll || open.filter((one) => one === session).length >= mostOfSession) {
        throw new Unanswerable('too_many_streams', `${mostOfSession} streams of a session at a time: close another`)
      }
      const { outgoing } = context.env as { outgoing: ServerResponse }
      const gone = new AbortController()
      open.push(session)
      outgoing.once('close', () => {
        open.splice(open.indexOf(session), 1)
        gone.abort()
      })
      outgoing.socket?.setTimeout(patience)
      const isLetIn = () => guard.isStillIn(context)
      const events = eventStream(inbox, context.req.header('last-event-id'), gone.signal, isLetIn)
      return context.body(ReadableStream.from(untilFailure(events, logger)), 200, {
        'content-type': 'text/event-stream',
        'x-accel-buffering': 'no', // nginx would keep events until it has a buffer full of them
      })
    },
  }
}

/** An inbox that does not answer ends the stream; the reader comes again. */
async function* untilFailure(
  events: AsyncGenerator<Uint8Array>,
  logger: Operated['logger'],
): AsyncGenerator<Uint8Array> {
  try {
    yield* events
  } catch (err) {
    logger.warn({ err }, 'A stream of changes ended: the inbox does not answer')
  }
}
