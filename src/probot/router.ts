import { createRequire } from 'node:module'
import { join } from 'node:path'
import { isMissingPackage } from '../runtime/platform.ts'

/** A router or an app of Express. */
interface Router {
  // biome-ignore lint/suspicious/noExplicitAny: a request of the Express that the app has installed
  (request: any, response: any, next?: (error?: unknown) => void): unknown
  use(path: string, router: Router): void
}

/** The part of the package that this file uses. */
interface Express {
  (): Router & { disable(setting: string): void }
  Router(): Router
}

/**
 * A router of the Express that the app has installed, for requests whose path begins with `path`. The returned router
 * is mounted in an app of Express, which is the request handler.
 * @throws {Error} if Express is not installed.
 */
export function createRouter(path = '/'): { router: Router; handler: Router } {
  const express = loadExpress()
  const router = express.Router()
  const handler = express()
  handler.disable('x-powered-by')
  handler.use(path, router)
  return { router, handler }
}

function loadExpress(): Express {
  try {
    return createRequire(join(process.cwd(), 'index.js'))('express')
  } catch (cause) {
    if (!isMissingPackage(cause)) throw cause
    throw new Error('The routes of this app need the package "express": npm install express', { cause })
  }
}
