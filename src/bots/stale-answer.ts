/**
 * GitHub's API may be behind GitHub's webhooks for seconds: right after the delivery of a push, it may still show the pull
 * request as it was before.
 */
import { sleep } from '../runtime/timer.ts'
import type { BotContext } from './context.ts'

/** Milliseconds until GitHub is asked once more. */
export const askAgainDelay = 1500

/**
 * Asks GitHub, and asks once more if the answer is older than the delivery.
 * @returns The last answer, and whether it is stale too.
 */
export async function askAgainIfStale<Answer>(
  { delivery: { signal } }: BotContext,
  ask: () => Promise<Answer>,
  isStale: (answer: Answer) => boolean,
): Promise<{ answer: Answer; stale: boolean }> {
  const first = await ask()
  if (!isStale(first)) return { answer: first, stale: false }
  await sleep(askAgainDelay, signal, { keepAlive: true })
  signal.throwIfAborted()
  const answer = await ask()
  return { answer, stale: isStale(answer) }
}
