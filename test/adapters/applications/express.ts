import { createServer } from 'node:http'
import express from 'express'
import express4 from 'express4'
import { hookserver } from '../../../src/adapters/express.ts'
import type { HookError } from '../../../src/index.ts'
import type { Application } from '../host.ts'

const frameworks = [
  ['Express 5', express],
  ['Express 4', express4],
] as const

export const expressApplications: readonly Application[] = frameworks.map(([title, create]) => ({
  title,
  start(mounts) {
    const app = create()
    for (const { hooks, options, consumed } of mounts) {
      if (consumed) app.use(options.url, create.json())
      app.use(hookserver(hooks, options))
    }
    app.use((error: HookError, _request: express.Request, response: express.Response, _next: express.NextFunction) => {
      response.status(error.status).json(error.problem())
    })
    return createServer(app)
  },
  samples: create === express,
}))
