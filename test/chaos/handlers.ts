import { setTimeout } from 'node:timers/promises'
import { type TestHandler, testHandlers as usual } from '../campaign/handlers.ts'

/** The handler that kills its process, and the number of attempts in which it does so for each delivery. */
export const fatal = 'fatal'
export const deaths = 3

export const testHandlers: readonly TestHandler[] = [
  ...usual,
  // Lengthy, so that each worker always runs an attempt. With this concurrency, one worker alone keeps up with the
  // traffic; otherwise reclaimed tasks would wait behind a backlog.
  { name: 'lengthy', events: ['ping'], options: { concurrency: 200 }, work: () => setTimeout(1000) },
  {
    name: fatal,
    events: ['fork'],
    work: ({ attempt }) => {
      if (attempt <= deaths) process.kill(process.pid, 'SIGKILL')
    },
  },
]
