import { createServer } from 'node:http'
import express from 'express'
import express4 from 'express4'
import { hookserver } from '../../src/adapters/express.ts'
import type { HookError } from '../../src/index.ts'
import { holdsAdapterContract } from './host.ts'

for (const [title, create] of [
  ['Express 5', express],
  ['Express 4', express4],
] as const) {
  holdsAdapterContract(
    title,
    (mounts) => {
      const app = create()
      for (const { hooks, options, consumed } of mounts) {
        if (consumed) app.use(options.url, create.json())
        app.use(hookserver(hooks, options))
      }
      app.use(
        (error: HookError, _request: express.Request, response: express.Response, _next: express.NextFunction) => {
          response.status(error.status).json(error.problem())
        },
      )
      return createServer(app)
    },
    { samples: title === 'Express 5' },
  )
}
