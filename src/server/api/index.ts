import { Hono } from 'hono'
import { deliveries } from './deliveries.ts'
import type { Operated } from './operated.ts'

/** The admin API, as `docs/api.md` describes it. */
export function api(operated: Operated): Hono {
  const app = new Hono()
  app.route('/deliveries', deliveries(operated))
  return app
}
