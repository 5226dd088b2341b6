import { setTimeout } from 'node:timers/promises'
import type { TestHandler } from '../../campaign/handlers.ts'

export const handlerName = 'backlog'

/** The maximum attempts of a delivery: enough to survive kills, few enough for some deliveries to end dead. */
const attempts = 5

/**
 * Suffixes of GUIDs. A delivery with the first suffix fails in every attempt. A delivery with the second suffix fails
 * only in its first attempt.
 */
const [failsAlways, failsFirst] = ['ff', '0']

/** In how many attempts a fatal delivery kills its worker. */
export const deaths = 3

/**
 * The ordered handler of the backlog. It waits for 1 or 2 ms, as a handler does for input and output.
 * @param fatal The GUIDs of the deliveries that kill the process in their first attempts.
 */
export function backlogHandler(concurrency: number, fatal: ReadonlySet<string>): TestHandler {
  return {
    name: handlerName,
    events: ['push'],
    options: { order: 'repository', attempts, concurrency },
    work: async ({ guid, attempt }) => {
      if (fatal.has(guid) && attempt <= deaths) process.kill(process.pid, 'SIGKILL')
      await setTimeout(1 + (attempt % 2))
      if (guid.endsWith(failsAlways)) throw new Error('Every attempt fails')
      if (guid.endsWith(failsFirst) && attempt === 1) throw new Error('The first attempt fails')
    },
  }
}

/** Whether no attempt of a delivery fails. */
export const neverFails = (guid: string): boolean => !guid.endsWith(failsAlways) && !guid.endsWith(failsFirst)

/** The state in which a delivery must end. */
export const endingOf = (guid: string): 'done' | 'dead' => (guid.endsWith(failsAlways) ? 'dead' : 'done')

/** Whether a delivery is dead if this attempt fails. */
export const isLastAttempt = (attempt: number): boolean => attempt >= attempts
