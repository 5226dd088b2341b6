import { Hono } from 'hono'
import { version } from '../../runtime/platform.ts'
import { type Guard, visitorIn } from '../auth/guard.ts'
import { ProblemError } from '../problem.ts'
import { auditLog, record } from './audit.ts'
import { createDelivery, samples } from './create-delivery.ts'
import { deliveries, signDelivery } from './deliveries.ts'
import { failures } from './failures.ts'
import { github } from './github.ts'
import { handlers } from './handlers.ts'
import { histogram } from './histogram.ts'
import { operations } from './operations.ts'
import { recovery } from './recovery.ts'
import { type ApiContext, type Route, route } from './route.ts'
import { schedules } from './schedules.ts'
import { jsonSchemas, problemResponses } from './schemas/index.ts'
import { stats } from './stats.ts'
import { stream } from './stream.ts'

/** The admin API, as `docs/api.md` describes it. */
export function api(context: ApiContext, guard: Guard): Hono {
  const routes: Route[] = [
    ...session(context, guard),
    ...operations(context),
    ...deliveries(context),
    histogram(context),
    createDelivery(context),
    signDelivery(context),
    ...failures(context),
    ...handlers(context),
    ...schedules(context),
    ...recovery(context),
    ...github(context),
    auditLog(context),
    ...stats(context),
    stream(context, guard),
    ...samples(),
  ]
  routes.push(openapi(routes))
  const app = new Hono()
  app.use(async (context, next) => {
    context.header('cache-control', 'no-store') // browsers must not store payloads on disk
    await next()
  })
  app.route('/', appOf(routes.filter(({ open }) => open)))
  app.use(guard.authorized)
  const protectedRoutes = routes.filter(({ open }) => !open)
  app.route('/', appOf(protectedRoutes.filter(isForReaders)))
  app.use(guard.mayAct)
  app.route('/', appOf(protectedRoutes.filter((route) => !isForReaders(route))))
  app.route('/', otherMethods(routes))
  return app
}

const isForReaders = ({ method, forReaders }: Route): boolean => method === 'get' || forReaders === true

/** An app of the routes. GET also answers HEAD. */
export function appOf(routes: readonly Route[]): Hono {
  const app = new Hono()
  for (const { method, path, handle } of routes) app.on(method.toUpperCase(), honoPath(path), handle)
  return app
}

/** Answers 405 to other methods of known paths. */
function otherMethods(routes: readonly Route[]): Hono {
  const app = new Hono()
  for (const path of new Set(routes.map((route) => route.path))) {
    const known = routes.filter((route) => route.path === path).map(({ method }) => method)
    const allow = known.flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()])).join(', ')
    app.all(honoPath(path), (context) => {
      context.header('allow', allow)
      throw new ProblemError(
        'method_not_allowed',
        `${context.req.path} does not support ${context.req.method}, only ${allow}`,
      )
    })
  }
  return app
}

const honoPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1')

/** The description of the API in OpenAPI 3.1. @param routes All routes, read when a client requests the description. */
const openapi = (routes: readonly Route[]): Route =>
  route({
    method: 'get',
    path: '/openapi.json',
    operationId: 'getDescription',
    summary: 'Get this description',
    answer: 'Description',
    handle: () => describe(routes),
  })

const description =
  'Deliveries that hookserver received, and their handlers. Later versions of hookserver may add paths, parameters, ' +
  'members and values of enums to this version of the API. Clients must ignore members and values that they do not know.'

function describe(routes: readonly Route[]): Record<string, unknown> {
  const paths: Record<string, Record<string, object>> = {}
  for (const { method, path, open, operation } of routes) {
    const responses = { ...operation.responses, ...problemResponses(401, 403, 429, 503) }
    paths[`/api/v1${path}`] = {
      ...paths[`/api/v1${path}`],
      [method]: { ...operation, responses, ...(open && { security: [] }) },
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'hookserver', version, description },
    security: [{ token: [] }, { session: [] }],
    paths,
    components: {
      schemas: jsonSchemas(),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'hookserver-8001',
          description: 'The name ends with the port in the Host header, or with "http" if the header has no port',
        },
      },
    },
  }
}

/** The maximum bytes of a login. Small, because the server reads this body before it knows the client. */
const maxLogin = 4096

/** Begins, shows and ends a session. */
const session = (api: ApiContext, guard: Guard): Route[] => [
  route({
    method: 'post',
    path: '/session',
    open: true,
    operationId: 'logIn',
    summary: 'Exchange a token for a session cookie, which is valid for seven days',
    body: 'Login',
    bodyRequired: true,
    maxBody: maxLogin,
    responses: { 204: { description: 'The cookie is set' } },
    async handle({ context, body: { token } }) {
      guard.checkToken(context, token)
      await record(api, context, 'login', { count: 1 })
      return guard.beginSession(context)
    },
  }),
  route({
    method: 'get',
    path: '/session/methods',
    open: true,
    operationId: 'getLoginMethods',
    summary: 'Tell whether users may log in with GitHub: then /login/github starts the login of a browser',
    answer: 'LoginMethods',
    handle: () => ({ github: guard.github !== undefined }),
  }),
  route({
    method: 'get',
    path: '/session',
    operationId: 'getSession',
    summary: 'Tell whether the token or session is read-only, and when the session expires',
    answer: 'Session',
    handle: ({ context }) => visitorIn(context),
  }),
  route({
    method: 'delete',
    path: '/session',
    forReaders: true,
    operationId: 'logOut',
    summary: 'End the session',
    responses: { 204: { description: 'The cookie is deleted' } },
    async handle({ context }) {
      if (await guard.logout(context)) await record(api, context, 'logout', { count: 1 })
      return context.body(null, 204)
    },
  }),
]
