import { Hono } from 'hono'
import type { Guard } from '../auth/guard.ts'
import type { ApiContext } from './api-context.ts'
import { createDelivery } from './create-delivery.ts'
import { deliveries } from './deliveries.ts'
import { handlers } from './handlers.ts'
import { openapi } from './openapi.ts'
import { operations } from './operations.ts'
import { recovery } from './recovery.ts'
import { appOf, otherMethods, type Route } from './route.ts'
import { samples } from './samples.ts'
import { session } from './session.ts'
import { signDelivery } from './sign-delivery.ts'
import { stats } from './stats.ts'
import { stream } from './stream.ts'

/** The admin API, as `docs/api.md` describes it. */
export function api(context: ApiContext, guard: Guard): Hono {
  const routes: Route[] = [
    ...session(guard),
    ...operations(context),
    ...deliveries(context),
    createDelivery(context),
    signDelivery(context),
    ...handlers(context),
    ...recovery(context),
    ...stats(context),
    stream(context, guard),
    ...samples(),
  ]
  routes.push(openapi(routes))
  const app = new Hono()
  app.use(async (context, next) => {
    context.header('cache-control', 'no-store') // browsers must not write payloads to disk
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
