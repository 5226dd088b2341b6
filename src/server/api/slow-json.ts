import type { Context } from 'hono'
import { wait } from '../../runtime/timer.ts'

/** Milliseconds between line breaks. Most proxies close a connection that is silent for a minute. */
const defaultInterval = 10_000

/**
 * Answers with JSON that may take minutes. Until then it sends a line break in every interval: JSON may begin with white
 * space. An error after the first line break can only end the response early.
 */
export async function slowJson(
  context: Context,
  work: Promise<object>,
  interval: number = defaultInterval,
): Promise<Response> {
  let text: string | undefined
  const done = work.then((value) => {
    text = JSON.stringify(value)
  })
  await wait(interval, done)
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (text === undefined) await wait(interval, done)
      controller.enqueue(encoder.encode(text ?? '\n'))
      if (text !== undefined) controller.close()
    },
  })
  done.catch(() => undefined) // the client may have closed the connection
  return context.body(text ?? body, 200, { 'content-type': 'application/json' })
}
