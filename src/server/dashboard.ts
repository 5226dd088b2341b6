import { join } from 'node:path'
import { serveStatic } from '@hono/node-server/serve-static'
import { Hono, type MiddlewareHandler } from 'hono'
import { compress } from 'hono/compress'
import type { Guard } from './guard.ts'

/** Where the build puts the page, seen from `src/server` and from `dist/server`. */
const root = join(import.meta.dirname, '../../dist/dashboard')

/**
 * The page, which is the same for everybody and shows nothing by itself: what it shows it asks the API for.
 */
export function dashboard(guard: Guard): Hono {
  const app = new Hono()
  const files = serveStatic({ root })
  app.get('/', guard.page, kept('no-cache'), compress(), files)
  for (const path of ['/icon.svg', '/theme.js']) app.get(path, guard.sameSite, kept('no-cache'), files)
  // These are named after what is in them.
  app.get('/assets/*', guard.sameSite, kept('public, max-age=31536000, immutable'), compress(), files)
  return app
}

/** How long a browser may keep a file. */
function kept(how: string): MiddlewareHandler {
  return async (context, next) => {
    await next()
    if (context.res.ok) context.header('cache-control', how)
  }
}
