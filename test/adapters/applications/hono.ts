import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { hookserver } from '../../../src/adapters/hono.ts'
import type { ContractMount } from '../../../src/testing/index.ts'
import type { Application } from '../host.ts'

function mountAll(mounts: ContractMount[], app = new Hono()): Hono {
  for (const { hooks, options, consumed } of mounts) {
    if (consumed) {
      app.use(options.path, async (context, next) => {
        await context.req.formData().catch(() => {}) // Hono does not keep the bytes of a form
        await next()
      })
    }
    app.use(hookserver(hooks, options))
  }
  return app
}

const serve = (fetch: (request: Request) => Response | Promise<Response>) => createAdaptorServer({ fetch }) as Server

export const honoApplications: readonly Application[] = [
  {
    title: 'Hono on Node.js',
    start: (mounts) => serve(mountAll(mounts).fetch),
    samples: true,
  },
  {
    title: 'Hono on Node.js, behind a middleware that uses the body',
    start(mounts) {
      const app = new Hono().use((context, next) => {
        void context.req.raw.body
        return next()
      })
      return serve(mountAll(mounts, app).fetch)
    },
  },
  {
    title: 'Hono without Node.js’s request',
    start(mounts) {
      const app = mountAll(mounts)
      return serve((request) => app.fetch(request))
    },
    options: { clientAddress: () => '127.0.0.1' },
  },
]
