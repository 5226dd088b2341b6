import { setTimeout } from 'node:timers/promises'
import type { Duty } from '../../campaign/duties.ts'

export const handlerName = 'backlog'

/** Attempts that a delivery has: enough to survive kills, few enough for some deliveries to end dead. */
const maxAttempts = 5

/** How GUIDs end of deliveries that fail in every attempt, and of those that fail in the first. */
const [failsAlways, failsFirst] = ['ff', '0']

/** The handler of the backlog: ordered, and waiting for input and output for 1 or 2 ms. */
export function backlogDuty(concurrency: number): Duty {
  return {
    name: handlerName,
    events: ['push'],
    options: { order: 'repository', attempts: maxAttempts, concurrency },
    work: async ({ guid, attempt }) => {
      await setTimeout(1 + (attempt % 2))
      if (guid.endsWith(failsAlways)) throw new Error('Every attempt fails')
      if (guid.endsWith(failsFirst) && attempt === 1) throw new Error('The first attempt fails')
    },
  }
}

/** Whether no attempt of a delivery fails. */
export const neverFails = (guid: string): boolean => !guid.endsWith(failsAlways) && !guid.endsWith(failsFirst)

/** How a delivery must end. */
export const endingOf = (guid: string): 'done' | 'dead' => (guid.endsWith(failsAlways) ? 'dead' : 'done')

/** Whether a delivery whose attempt fails ends dead. */
export const isLastAttempt = (attempt: number): boolean => attempt >= maxAttempts
