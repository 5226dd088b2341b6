import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { hookserver } from '../../src/adapters/hono.ts'
import { hookserver as web } from '../../src/adapters/web.ts'
import { holdsAdapterContract } from './host.ts'

holdsAdapterContract('Hono on Node.js', (mounts) => {
  const app = new Hono()
  for (const { hooks, options, consumed } of mounts) {
    if (consumed) {
      app.use(options.url, async (context, next) => {
        await context.req.formData().catch(() => {})
        await next()
      })
    }
    app.use(hookserver(hooks, options))
  }
  return createAdaptorServer({ fetch: app.fetch }) as Server
})

holdsAdapterContract(
  'Hono without Node.js’s request',
  (mounts) => {
    const app = new Hono()
    for (const { hooks, options, consumed } of mounts) {
      if (consumed) {
        app.use(options.url, async (context, next) => {
          await context.req.formData().catch(() => {})
          await next()
        })
      }
      app.use(hookserver(hooks, options))
    }
    return createAdaptorServer({ fetch: (request) => app.fetch(request) }) as Server
  },
  { clientAddress: () => '127.0.0.1' },
)

holdsAdapterContract(
  'web',
  (mounts) => {
    const handlers = new Map(
      mounts.map(({ hooks, options, consumed }) => [options.url, { handle: web(hooks, options), consumed }]),
    )
    const fallback = handlers.values().next().value as { handle: ReturnType<typeof web>; consumed: boolean }
    const fetch = async (request: Request): Promise<Response> => {
      const { handle, consumed } = handlers.get(new URL(request.url).pathname) ?? fallback
      if (consumed) await request.text()
      return handle(request)
    }
    return createAdaptorServer({ fetch }) as Server
  },
  { clientAddress: () => '127.0.0.1' },
)
