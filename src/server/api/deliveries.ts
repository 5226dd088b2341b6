import { Hono } from 'hono'
import type { Operated } from './operated.ts'

export function deliveries({ inbox }: Operated): Hono {
  const app = new Hono()
  app.get('/', async (context) => context.json(await inbox.list({})))
  return app
}
