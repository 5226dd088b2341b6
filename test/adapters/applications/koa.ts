import { createServer } from 'node:http'
import Koa from 'koa'
import Koa2 from 'koa2'
import { errorHandler, hookserver } from '../../../src/adapters/koa.ts'
import type { Application } from '../host.ts'

const frameworks = [
  ['Koa 3', Koa],
  ['Koa 2', Koa2],
] as const

export const koaApplications: readonly Application[] = frameworks.map(([title, Framework]) => ({
  title,
  start(mounts) {
    const app = new Framework()
    app.silent = true
    app.use(errorHandler)
    for (const { hooks, options, consumed } of mounts) {
      app.use(async (context, next) => {
        if (consumed && context.path === options.path) for await (const _ of context.req);
        return next()
      })
      app.use(hookserver(hooks, options))
    }
    return createServer(app.callback())
  },
  samples: Framework === Koa,
}))
