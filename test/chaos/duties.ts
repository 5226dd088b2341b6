import { setTimeout } from 'node:timers/promises'
import { type Duty, duties as usual } from '../campaign/duties.ts'

/** The handler that takes its process with it, and how often. */
export const fatal = 'fatal'
export const deaths = 3

export const duties: readonly Duty[] = [
  ...usual,
  // So that one always runs. One worker alone must keep up with it, or tasks taken over would wait behind a backlog.
  { name: 'lengthy', events: ['ping'], options: { concurrency: 200 }, work: () => setTimeout(1000) },
  {
    name: fatal,
    events: ['fork'],
    work: ({ attempt }) => {
      if (attempt <= deaths) process.kill(process.pid, 'SIGKILL')
    },
  },
]
