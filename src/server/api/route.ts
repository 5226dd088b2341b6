import { type Context, Hono } from 'hono'
import { Unanswerable } from '../problem.ts'

/** One thing that can be asked for, and its description, which `/api/openapi.json` shows. */
export interface Route {
  method: 'get' | 'post' | 'delete'
  /** As OpenAPI writes it, below `/api`: `/deliveries/{id}`. */
  path: string
  /** Whether it can be asked for without being let in. */
  open?: true
  /** Whether who may only look can ask for it, too. `get` needs no such word: it changes nothing. */
  forReaders?: true
  operation: Operation
  answer(context: Context): Response | Promise<Response>
}

/** The part of OpenAPI's Operation Object that is used; the rest is the same for all and added to it. */
export interface Operation {
  operationId: string
  summary: string
  parameters?: readonly object[]
  requestBody?: object
  responses: Readonly<Record<string, object>>
}

/** An app of the routes. GET answers HEAD, too. */
export function appOf(routes: readonly Route[]): Hono {
  const app = new Hono()
  for (const { method, path, answer } of routes) app.on(method.toUpperCase(), honoPath(path), answer)
  return app
}

/** What answers all other methods of paths that are known. */
export function otherMethods(routes: readonly Route[]): Hono {
  const app = new Hono()
  for (const path of new Set(routes.map((route) => route.path))) {
    const known = routes.filter((route) => route.path === path).map(({ method }) => method)
    const allow = known.flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()])).join(', ')
    app.all(honoPath(path), (context) => {
      context.header('allow', allow)
      throw new Unanswerable('method_not_allowed', `${context.req.path} knows ${allow}, and not ${context.req.method}`)
    })
  }
  return app
}

const honoPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1')

/** The value of a path's parameter. */
export const parameterOf = (context: Context, name: string): string => context.req.param(name) ?? ''

/** The parameters of a query; one that was given several times is a list. */
export function parametersIn(context: Context): Record<string, unknown> {
  const all = Object.entries(context.req.queries())
  return Object.fromEntries(all.map(([name, values]) => [name, values.length === 1 ? values[0] : values]))
}
