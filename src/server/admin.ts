import type { RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import type { Inbox } from '../inbox/inbox.ts'
import type { FullLogger } from '../logger.ts'
import { api } from './api/index.ts'
import type { Operated } from './api/operated.ts'
import { type Guard, problem } from './guard.ts'
import type { Metrics } from './metrics.ts'

/** What the admin listener shows and steers. */
export interface Administered extends Operated {
  guard: Guard
  metrics: Metrics
  logger: FullLogger
}

/** What only its operator sees: the API, and without a token health and metrics. */
export function adminListener(administered: Administered): RequestListener {
  const { guard, metrics, inbox, logger } = administered
  const app = new Hono()
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
      },
      xFrameOptions: 'DENY',
      referrerPolicy: 'no-referrer',
      strictTransportSecurity: false,
    }),
  )
  app.get('/healthz', (context) => context.text('ok'))
  app.get('/readyz', async (context) => {
    const reason = await whyNotReady(inbox)
    return reason === undefined ? context.text('ready') : problem(context, 503, 'not_ready', reason)
  })
  app.get('/metrics', async (context) => {
    const { type, text } = await metrics.read()
    return context.body(text, 200, { 'content-type': type })
  })
  app.use(guard.sameSite)
  app.post('/api/session', async (context) => {
    const { token } = await context.req.json().catch(() => ({}))
    return guard.login(context, token)
  })
  app.use(guard.authorized)
  app.route('/api', api(administered))
  app.notFound((context) => problem(context, 404, 'not_found', `There is no ${context.req.method} ${context.req.path}`))
  app.onError((err, context) => {
    logger.error({ err, path: context.req.path }, 'The admin API failed')
    return problem(context, 503, 'inbox_unavailable', 'The inbox does not answer as it should: the log says why')
  })
  return getRequestListener(app.fetch)
}

/** Whether deliveries could be stored now. */
async function whyNotReady(inbox: Inbox): Promise<string | undefined> {
  try {
    await inbox.refuse([], {}) // a commit that changes nothing
    return undefined
  } catch (error) {
    return `The inbox takes nothing: ${(error as Error).message}`
  }
}
