/** The hooks of a benchmark's `hookserver serve`: handlers that do nothing, and one that blocks its process. */
import { Hooks } from 'hookserver'

/** Milliseconds for which the handler of `fork` blocks the event loop. */
const blocked = 20_000

const hooks = new Hooks()

hooks.hook('push', () => 'ok')
hooks.hook('fork', () => {
  for (const end = performance.now() + blocked; performance.now() < end; );
})

export default hooks
