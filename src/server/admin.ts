import type { RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import type { ApiContext } from './api/api-context.ts'
import { api } from './api/index.ts'
import { type Proxies, readClientAddress } from './client-address.ts'
import { dashboard } from './dashboard.ts'
import type { Guard } from './guard.ts'
import type { Metrics } from './metrics.ts'
import { ProblemError, problem } from './problem.ts'
import { readiness } from './readiness.ts'

/** What the admin listener shows and steers. */
export interface Administered extends ApiContext {
  guard: Guard
  metrics: Metrics
  /** The proxies that may say which client they ask for. Default: none. */
  proxies?: Proxies | undefined
}

/** What only its operator sees: the API, the page that shows it, and without a token health and metrics. */
export function adminListener(administered: Administered): RequestListener {
  const { guard, metrics, receiver, proxies } = administered
  const app = new Hono()
  app.use(headers, readClientAddress(proxies))
  app.get('/healthz', (context) => context.text('ok'))
  app.get('/readyz', guard.sameSiteOrAddress, readiness(administered))
  app.get('/metrics', guard.sameSiteOrAddress, async (context) => {
    const { type, text } = await metrics.read(receiver?.status())
    return context.body(text, 200, { 'content-type': type })
  })
  app.route('/', dashboard(guard))
  app.use(guard.sameSite)
  app.route('/api', api(administered, guard))
  app.use(guard.authorized)
  app.notFound((context) => problem(context, 'not_found', `There is no ${context.req.method} ${context.req.path}`))
  app.onError((error, context) => answerTo(error, context, administered))
  // The user's code runs in this process, too: the global Request and Response stay what they are.
  return getRequestListener(app.fetch, { overrideGlobalObjects: false })
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
  referrerPolicy: 'same-origin', // with no-referrer, browsers hide the origin of our own page's requests as well
  strictTransportSecurity: false, // a matter of the proxy that has the certificate
})

function answerTo(error: unknown, context: Context, { logger }: ApiContext): Response {
  if (error instanceof ProblemError) return problem(context, error.code, error.message, error.errors)
  logger.error({ err: error, path: context.req.path }, 'The admin API failed')
  return problem(context, 'inbox_unavailable', 'The inbox does not answer as it should: the log says why')
}
