import { setTimeout } from 'node:timers/promises'
import { fatalHandler, type TestHandler, testHandlers as usual } from '../campaign/handlers.ts'

export const testHandlers: readonly TestHandler[] = [
  ...usual,
  // Lengthy, so that each worker always runs an attempt. With this concurrency, one worker alone keeps up with the
  // traffic; otherwise reclaimed tasks would wait behind a backlog.
  { name: 'lengthy', events: ['ping'], options: { concurrency: 200 }, work: () => setTimeout(1000) },
  fatalHandler,
]
