import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { hookserver } from '../../src/adapters/hono.ts'
import type { ContractMount } from '../../src/testing/index.ts'
import { holdsAdapterContract } from './host.ts'

function application(mounts: ContractMount[], app = new Hono()): Hono {
  for (const { hooks, options, consumed } of mounts) {
    if (consumed) {
      app.use(options.url, async (context, next) => {
        await context.req.formData().catch(() => {}) // Hono does not keep the bytes of a form
        await next()
      })
    }
    app.use(hookserver(hooks, options))
  }
  return app
}

const serve = (fetch: (request: Request) => Response | Promise<Response>) => createAdaptorServer({ fetch }) as Server

holdsAdapterContract('Hono on Node.js', (mounts) => serve(application(mounts).fetch))

holdsAdapterContract(
  'Hono on Node.js, behind a middleware that uses the body',
  (mounts) => {
    const app = new Hono().use((context, next) => {
      void context.req.raw.body
      return next()
    })
    return serve(application(mounts, app).fetch)
  },
  { samples: false },
)

holdsAdapterContract(
  'Hono without Node.js’s request',
  (mounts) => {
    const app = application(mounts)
    return serve((request) => app.fetch(request))
  },
  { clientAddress: () => '127.0.0.1', samples: false },
)
