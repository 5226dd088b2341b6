import { setTimeout as wait } from 'node:timers/promises'
import type { Inbox } from '../../inbox/inbox.ts'

/** Milliseconds between two looks for what has changed. */
const interval = 250
/** Milliseconds of silence after which something is said: proxies cut what says nothing for a minute. */
const heartbeat = 15_000
/** Milliseconds after which a stream ends; its reader comes again, with what lets it in by then. */
const longest = 3_600_000
/** Milliseconds after which a browser comes again that lost its connection. */
const retry = 2000

/**
 * What changes in an inbox, as Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html). The
 * next are only looked for once the last were sent: a slow reader sees fewer and later ones, and nothing piles up.
 * @param after The `id` of the last event that was seen. Default: it begins with what changes from now on.
 * @param isLetIn Whether its reader may still see it.
 */
export async function* eventStream(
  inbox: Inbox,
  after: string | undefined,
  signal: AbortSignal,
  isLetIn: () => boolean | Promise<boolean> = () => true,
): AsyncGenerator<Uint8Array> {
  const end = performance.now() + longest
  let position = after ?? (await inbox.changes()).position
  yield bytesOf(`retry: ${retry}\n${eventOf('ready', {}, position)}`)
  for (let spokenAt = performance.now(); !signal.aborted && (await isLetIn()) && performance.now() < end; ) {
    const { deliveries, more, gap, ...look } = await inbox.changes(position)
    position = look.position
    const events = deliveries.map((one, index) => {
      // All or nothing: whoever saw only some of a look sees all of it again.
      return eventOf('delivery', one, index === deliveries.length - 1 ? position : undefined)
    })
    if (gap) events.push(eventOf('reset', {}, position))
    if (events.length === 0 && performance.now() - spokenAt > heartbeat) events.push(': still here\n\n')
    if (events.length > 0) {
      yield bytesOf(events.join(''))
      spokenAt = performance.now()
    }
    if (!more) await wait(interval, undefined, { signal }).catch(() => undefined)
  }
}

const eventOf = (name: string, data: object, id: string | undefined): string =>
  `event: ${name}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
