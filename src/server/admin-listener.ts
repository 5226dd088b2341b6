import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { serveStatic } from '@hono/node-server/serve-static'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { accepts } from 'hono/accepts'
import { secureHeaders } from 'hono/secure-headers'
import { getMimeType } from 'hono/utils/mime'
import { leaveUnread } from '../adapters/incoming.ts'
import { api } from './api/index.ts'
import type { ApiContext } from './api/route.ts'
import type { Guard } from './auth/guard.ts'
import { type Proxies, readClientAddress } from './client-address.ts'
import { allFormats, contentTypes, type Format } from './metrics/families.ts'
import type { Metrics } from './metrics/metrics.ts'
import { ProblemError, problem } from './problem.ts'
import { readiness } from './readiness.ts'

export interface AdminContext extends ApiContext {
  guard: Guard
  metrics: Metrics
  /** The proxies that may report the address of the client. Default: none. */
  proxies?: Proxies | undefined
}

/**
 * Serves the API. Also serves the page of the dashboard, health checks and metrics, for which a client needs no token.
 */
export function adminListener(admin: AdminContext): RequestListener {
  const { guard, metrics, receiver, recovery, polling, hooks, proxies } = admin
  const { site } = guard
  const app = new Hono()
  app.use(headers, readClientAddress(proxies))
  app.get('/healthz', (context) => context.text('ok'))
  const checkReady = readiness(admin)
  app.get('/readyz', site.anyHost, async (context) => {
    const failure = await checkReady()
    if (failure === undefined) return context.text('ready')
    // Names only the failed check, because the client has no token.
    return problem(context, 'not_ready', `${failure}: see the log of the server`)
  })
  app.get('/metrics', site.anyHost, async (context) => {
    const format = accepts(context, { header: 'Accept', supports: allFormats, default: 'text/plain' }) as Format
    const isReady = async () => (await checkReady()) === undefined
    const state = {
      ...{ receiver: receiver?.status(), polls: polling?.failures, isSweeping: recovery?.isSweeping },
      ...{ problems: hooks.problems, isReady },
    }
    const text = await metrics.read(format, state)
    return context.body(text, 200, { 'content-type': contentTypes[format], vary: 'accept' })
  })
  app.route('/', dashboard(guard))
  if (guard.github) {
    app.get('/login/github', site.sameSite, guard.github.start)
    app.get('/login/github/callback', site.page, guard.github.finish)
  }
  app.use(site.sameSite)
  app.route('/api/v1', api(admin, guard))
  app.use(guard.authorized)
  app.notFound((context) => problem(context, 'not_found', `${context.req.method} ${context.req.path} does not exist`))
  app.onError((error, context) => problemOf(error, context, admin))
  // The adapter must not replace the global Request and Response, because user code runs in this process.
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  return (request, response) => {
    // No route reads the body of a GET, and the adapter limits only those of other methods.
    if (['GET', 'HEAD'].includes(request.method ?? '')) leaveUnread(request, response)
    void listener(request, response)
  }
}

const headers = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'", 'data:'],
    fontSrc: ["'self'"],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
  xFrameOptions: 'DENY',
  // With `no-referrer`, browsers may send `Origin: null` with the dashboard's requests, and this server rejects that.
  referrerPolicy: 'same-origin',
  strictTransportSecurity: false, // left to the proxy that has the certificate
})

function problemOf(error: unknown, context: Context, { logger }: ApiContext): Response {
  if (error instanceof ProblemError) return problem(context, error.code, error.message, error.errors)
  logger.error({ err: error, path: context.req.path }, 'Admin API request failed')
  return problem(context, 'inbox_unavailable', 'The inbox failed: see the log of the server')
}

/**
 * The folder of the built dashboard. The source of this file is in a folder of `src`. The built file is in a folder of
 * `dist`. The path is the same from both.
 */
const root = join(import.meta.dirname, '../../dist/dashboard')

/**
 * Serves the files of the dashboard. They need no token, because the page reads all data from the API, which needs one.
 */
function dashboard({ site }: Guard): Hono {
  const app = new Hono()
  const files = serveStatic({ root })
  app.get('/', site.page, cacheControl('no-cache'), files)
  for (const path of ['/icon.svg', '/theme.js']) app.get(path, site.sameSite, cacheControl('no-cache'), files)
  // The names of these files contain a hash of their content.
  app.get(
    '/assets/*',
    site.sameSite,
    cacheControl('public, max-age=31536000, immutable'),
    decompressed,
    compressedFiles,
  )
  return app
}

/** The build compresses the files of `assets`. */
const compressedFiles = serveStatic({ root, rewriteRequestPath: (path) => `${path}.gz` })

/** Lets the client decompress a file of `assets`. Decompresses it for a client that cannot. */
const decompressed: MiddlewareHandler = async (context, next) => {
  await next()
  if (!context.res.ok) return
  context.header('content-type', getMimeType(context.req.path))
  context.header('vary', 'accept-encoding')
  if (context.req.header('accept-encoding')?.includes('gzip')) return context.header('content-encoding', 'gzip')
  context.header('content-length', undefined)
  context.res = new Response(context.res.body?.pipeThrough(new DecompressionStream('gzip')), context.res)
}

function cacheControl(value: string): MiddlewareHandler {
  return async (context, next) => {
    await next()
    if (context.res.ok) context.header('cache-control', value)
  }
}
