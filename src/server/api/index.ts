import { Hono } from 'hono'
import type { Guard } from '../guard.ts'
import { composing } from './composing.ts'
import { deliveries } from './deliveries.ts'
import { hooks } from './hooks.ts'
import { knownValues } from './known-values.ts'
import { openapi } from './openapi.ts'
import type { Operated } from './operated.ts'
import { processes } from './processes.ts'
import { recovery } from './recovery.ts'
import { refused } from './refused.ts'
import { appOf, otherMethods, type Route } from './route.ts'
import { samples } from './samples.ts'
import { selected } from './selected.ts'
import { session } from './session.ts'
import { signing } from './signing.ts'
import { stats } from './stats.ts'
import { stream } from './stream.ts'

/** The admin API, as `docs/api.md` describes it. */
export function api(operated: Operated, guard: Guard): Hono {
  const routes: Route[] = [
    ...session(guard),
    ...selected(operated),
    ...deliveries(operated),
    composing(operated),
    signing(operated),
    ...hooks(operated),
    knownValues(operated),
    refused(operated),
    ...recovery(operated),
    processes(operated),
    stats(operated),
    stream(operated, guard),
    ...samples(),
  ]
  routes.push(openapi(routes))
  const app = new Hono()
  app.use(async (context, next) => {
    context.header('cache-control', 'no-store') // what payloads hold is nothing for a browser's disk
    await next()
  })
  app.route('/', appOf(routes.filter(({ open }) => open)))
  app.use(guard.authorized)
  const [forReaders, forOperators] = [routes.filter(isForReaders), routes.filter((route) => !isForReaders(route))]
  app.route('/', appOf(forReaders.filter(({ open }) => !open)))
  app.use(guard.mayAct)
  app.route('/', appOf(forOperators.filter(({ open }) => !open)))
  app.route('/', otherMethods(routes))
  return app
}

const isForReaders = ({ method, forReaders }: Route): boolean => method === 'get' || forReaders === true
