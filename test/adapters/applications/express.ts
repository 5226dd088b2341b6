import { createServer } from 'node:http'
import express from 'express'
import express4 from 'express4'
import { errorHandler, hookserver } from '../../../src/adapters/express.ts'
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
      if (consumed) app.use(options.path, create.json())
      app.use(hookserver(hooks, options))
    }
    app.use(errorHandler)
    return createServer(app)
  },
  samples: create === express,
}))
