import { join } from 'node:path'
import { serveStatic } from '@hono/node-server/serve-static'
import { Hono } from 'hono'
import { compress } from 'hono/compress'
import type { Guard } from './guard.ts'

/** Where the build puts the page, seen from `src/server` and from `dist/server`. */
const root = join(import.meta.dirname, '../../dist/dashboard')

/**
 * The page, which is the same for everybody and shows nothing by itself: what it shows it asks the API for. Its files
 * are named after what is in them, so that browsers may keep them, but for those that name them.
 */
export function dashboard(guard: Guard): Hono {
  const app = new Hono()
  const files = serveStatic({
    root,
    onFound: (path, context) => {
      context.header('cache-control', /\/assets\//.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
  app.get('/', guard.page, compress(), files)
  for (const path of ['/assets/*', '/icon.svg', '/theme.js']) app.get(path, guard.sameSite, compress(), files)
  return app
}
