import { Hono } from 'hono'
import type { Guard } from '../auth/guard.ts'
import { ProblemError } from '../problem.ts'
import { auditLog } from './audit.ts'
import { createDelivery } from './create-delivery.ts'
import { deliveries, signDelivery } from './deliveries.ts'
import { failures } from './failures.ts'
import { github } from './github.ts'
import { handlers } from './handlers.ts'
import { histogram } from './histogram.ts'
import { openapi } from './openapi.ts'
import { operations } from './operations.ts'
import { recovery } from './recovery.ts'
import type { ApiContext, Route } from './route.ts'
import { samples } from './samples.ts'
import { schedules } from './schedules.ts'
import { session } from './session.ts'
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
