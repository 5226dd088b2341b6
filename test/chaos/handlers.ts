import { setTimeout } from 'node:timers/promises'
import { type TestHandler, testHandlers as usual } from '../campaign/handlers.ts'

/** The name of the handler that kills its process, and the number of times that it does so. */
export const fatal = 'fatal'
export const deaths = 3

export const testHandlers: readonly TestHandler[] = [
  ...usual,
  // So that an attempt always runs. One worker alone must keep up, or reclaimed tasks would wait behind a backlog.
  { name: 'lengthy', events: ['ping'], options: { concurrency: 200 }, work: () => setTimeout(1000) },
  {
    name: fatal,
    events: ['fork'],
    work: ({ attempt }) => {
      if (attempt <= deaths) process.kill(process.pid, 'SIGKILL')
    },
  },
]
