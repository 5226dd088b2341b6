import { type Context, Hono } from 'hono'
import type * as v from 'valibot'
import { ProblemError } from '../problem.ts'
import { check, type Schema } from '../schema.ts'
import { readJson } from './request-body.ts'
import { type Output, parametersOf, problemResponses, reference, type SchemaName, schemas } from './schemas/index.ts'

/** One operation of the API with its description, which `/api/openapi.json` shows. */
export interface Route {
  method: 'get' | 'post' | 'delete'
  /** As OpenAPI writes it, below `/api`: `/deliveries/{id}`. */
  path: string
  /** Needs no token. */
  open?: true | undefined
  /** Allowed with the read-only token. `get` needs no flag: it changes nothing. */
  forReaders?: true | undefined
  operation: Operation
  handle(context: Context): Promise<Response>
}

/** The part of OpenAPI's Operation Object that we use. What all operations share is added later. */
export interface Operation {
  operationId: string
  summary: string
  parameters: readonly object[]
  requestBody?: object | undefined
  responses: Readonly<Record<string, object>>
}

type QuerySchema = Schema & { entries: v.ObjectEntries }

/** @template Query Schema of the query's parameters. @template Body, Answer Names of schemas. */
export interface RouteDefinition<Query extends QuerySchema, Body extends SchemaName, Answer extends SchemaName>
  extends Pick<Route, 'method' | 'path' | 'open' | 'forReaders'>,
    Pick<Operation, 'operationId' | 'summary'> {
  /** Header parameters. Those of the path and the query are described by themselves. */
  headers?: readonly object[]
  query?: Query
  body?: Body
  bodyRequired?: true
  /** Bytes of a body. */
  maxBody?: number
  /** The schema of a JSON answer. */
  answer?: Answer
  /** The status of that answer. Default: 200. */
  status?: 200 | 201
  /** Answers that are not JSON. */
  responses?: Readonly<Record<string, object>>
  /** Statuses of problems, beside those that the query, the body and the path may have. */
  problems?: readonly number[]
  handle(request: CheckedRequest<v.InferOutput<Query>, Output<Body>>): MaybePromise<Response | Output<Answer>>
}

export interface CheckedRequest<Query, Body> {
  context: Context
  query: Query
  body: Body
  /** Of a delivery, if the path has one. */
  id: number
}

type MaybePromise<Value> = Value | Promise<Value>

/** Makes a route that checks requests by the same schemas that describe them. */
export function route<Query extends QuerySchema, Body extends SchemaName, Answer extends SchemaName>(
  definition: RouteDefinition<Query, Body, Answer>,
): Route {
  const { method, path, open, forReaders, operationId, summary, headers = [], query, body, status = 200 } = definition
  const bodySchema = body && (schemas[body] as unknown as Schema<Output<Body>>)
  const statuses = [
    ...(query || body ? [400] : []),
    ...(path.includes('{id}') ? [404] : []),
    ...(body ? [413, 415] : []),
    ...(definition.problems ?? []),
  ]
  return {
    ...{ method, path, open, forReaders },
    operation: {
      operationId,
      summary,
      parameters: [...pathParameters(path), ...(query ? parametersOf(query) : []), ...headers],
      requestBody: body && { required: definition.bodyRequired ?? false, content: jsonOf(body) },
      responses: {
        ...(definition.answer && { [status]: { description: definition.answer, content: jsonOf(definition.answer) } }),
        ...definition.responses,
        ...problemResponses(...statuses),
      },
    },
    async handle(context) {
      const id = path.includes('{id}') ? idIn(context) : 0
      const request = {
        context,
        id,
        query: query && checked(query, parametersIn(context)),
        body: bodySchema && checked(bodySchema, await readJson(context, definition.maxBody)),
      }
      const answered = await definition.handle(request as CheckedRequest<v.InferOutput<Query>, Output<Body>>)
      return answered instanceof Response ? answered : context.json(answered as object, status)
    },
  }
}

const jsonOf = (name: SchemaName): object => ({ 'application/json': { schema: reference(name) } })

const parameterSchemas: Readonly<Record<string, object>> = {
  id: { schema: { type: 'integer', minimum: 1 } },
  name: { description: 'event or event.action', schema: { type: 'string' } },
}

const pathParameters = (path: string): object[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    ...parameterSchemas[name],
  }))

/** @throws {ProblemError} that names everything that is wrong. */
function checked<Value>(schema: Schema<Value>, input: object): Value {
  const { value, faults } = check(schema, input)
  if (faults) throw ProblemError.because(faults)
  return value as Value
}

/** An app of the routes. GET also answers HEAD. */
export function appOf(routes: readonly Route[]): Hono {
  const app = new Hono()
  for (const { method, path, handle } of routes) app.on(method.toUpperCase(), honoPath(path), handle)
  return app
}

/** Answers 405 to all other methods of known paths. */
export function otherMethods(routes: readonly Route[]): Hono {
  const app = new Hono()
  for (const path of new Set(routes.map((route) => route.path))) {
    const known = routes.filter((route) => route.path === path).map(({ method }) => method)
    const allow = known.flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()])).join(', ')
    app.all(honoPath(path), (context) => {
      context.header('allow', allow)
      throw new ProblemError('method_not_allowed', `${context.req.path} knows ${allow}, and not ${context.req.method}`)
    })
  }
  return app
}

const honoPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1')

/** The delivery id in the path. @throws {ProblemError} */
function idIn(context: Context): number {
  const text = context.req.param('id') ?? ''
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw noDelivery(text)
}

export const noDelivery = (id: string | number): ProblemError =>
  new ProblemError('not_found', `There is no delivery ${id}`)

/** The parameters of a query. One that is given several times is a list. */
function parametersIn(context: Context): Record<string, unknown> {
  const all = Object.entries(context.req.queries())
  return Object.fromEntries(all.map(([name, values]) => [name, values.length === 1 ? values[0] : values]))
}
