import type { ServerResponse } from 'node:http'
import type { Guard } from '../guard.ts'
import { onClose } from '../listener.ts'
import { Unanswerable } from '../problem.ts'
import { eventStream } from './event-stream.ts'
import type { Operated } from './operated.ts'
import type { Route } from './route.ts'
import { problems } from './schemas.ts'

interface StreamLimits {
  /** Streams at a time of one session, since a browser keeps six connections to a server. */
  ofSession: number
  /** Of those who may only look: they leave some to the operator. */
  ofReaders: number
  ofAll: number
  /** Milliseconds after which a connection is cut that takes nothing of what is sent. */
  patience: number
}

const usual: StreamLimits = { ofSession: 5, ofReaders: 100, ofAll: 200, patience: 45_000 }

/** What is new and what has changed, as it happens. */
export function stream(
  { inbox, logger }: Pick<Operated, 'inbox' | 'logger'>,
  guard: Guard,
  given: Partial<StreamLimits> = {},
): Route {
  const limits = { ...usual, ...given }
  const open: Opened[] = []
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
      const own: Opened = { session: guard.sessionOf(context), readOnly: guard.visitorOf(context).readOnly }
      const [ofSession, ofReaders] = [countOf(open, ({ session }) => session === own.session), countOf(open, isReaders)]
      if (ofSession >= limits.ofSession) {
        throw new Unanswerable('too_many_streams', `${limits.ofSession} streams of a session at a time: close another`)
      }
      if (open.length >= limits.ofAll || (own.readOnly && ofReaders >= limits.ofReaders)) {
        throw new Unanswerable('too_many_streams', 'Too many others watch: try again later')
      }
      const { outgoing } = context.env as { outgoing: ServerResponse }
      const gone = new AbortController()
      open.push(own)
      onClose(outgoing, () => {
        open.splice(open.indexOf(own), 1)
        gone.abort()
      })
      outgoing.socket?.setTimeout(limits.patience)
      const isLetIn = () => guard.isStillIn(context)
      const events = eventStream(inbox, context.req.header('last-event-id'), gone.signal, isLetIn)
      return context.body(ReadableStream.from(untilFailure(events, logger)), 200, {
        'content-type': 'text/event-stream',
        'x-accel-buffering': 'no', // nginx would keep events until it has a buffer full of them
      })
    },
  }
}

interface Opened {
  session: string
  readOnly: boolean
}

const isReaders = ({ readOnly }: Opened): boolean => readOnly

const countOf = (open: readonly Opened[], is: (one: Opened) => boolean): number => open.filter(is).length

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
