import type { Context } from 'hono'
import { wait } from '../../runtime/timer.ts'

/** Milliseconds of silence after which whoever is in between may hang up is far: most proxies wait for a minute. */
const usualSilence: number = 10_000

/**
 * Answers what may take minutes. A line break is sent for each silence until it is there: JSON may begin with white
 * space. What fails later than the first of them can only cut the answer off.
 */
export async function slowJson(
  context: Context,
  work: Promise<object>,
  silence: number = usualSilence,
): Promise<Response> {
  let text: string | undefined
  const done = work.then((value) => {
    text = JSON.stringify(value)
  })
  await wait(silence, done)
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (text === undefined) await wait(silence, done)
      controller.enqueue(encoder.encode(text ?? '\n'))
      if (text !== undefined) controller.close()
    },
  })
  done.catch(() => undefined) // also where nobody reads any more
  return context.body(text ?? body, 200, { 'content-type': 'application/json' })
}
