import type { Context } from 'hono'
import type * as v from 'valibot'
import type { GitHubStatus } from '../../github/github-status.ts'
import type { Polling } from '../../github/polling/polling.ts'
import type { Recovery } from '../../github/recovery/recovery.ts'
import type { Hooks } from '../../hooks.ts'
import type { Receiver } from '../../http.ts'
import type { Store } from '../../inbox/inbox.ts'
import { estimateParsedSize, heapLimit, parsedSizeLimit } from '../../inbox/parsed-size.ts'
import { isObject } from '../../runtime/json.ts'
import type { FullLogger } from '../../telemetry/logger.ts'
import { ProblemError } from '../problem.ts'
import type { RateLimits } from '../rate-limits.ts'
import { check, type Schema } from '../schema.ts'
import { type Output, parametersOf, problemResponses, reference, type SchemaName, schemas } from './schemas/index.ts'

export interface ApiContext {
  inbox: Store
  hooks: Hooks
  logger: FullLogger
  /** Receives the deliveries that an operator creates. Accepts every address. */
  localReceiver: Receiver
  /** Receives GitHub's deliveries. `undefined` in a worker, and in a server that polls. */
  receiver?: Pick<Receiver, 'ready' | 'status'> | undefined
  /** The URL of the receiver on this machine. `undefined` in a process without a receiver. */
  publicUrl?: string | undefined
  /** The URL that GitHub delivers to: the setting `--public-url`. */
  webhookUrl?: string | undefined
  /** Recovers missed deliveries. `undefined` in a receiver, and if no webhooks to recover are configured. */
  recovery?: Recovery | undefined
  /** Reads deliveries from GitHub's log. `undefined` in a server without `--pull`. */
  polling?: Pick<Polling, 'failures'> | undefined
  /** Asks GitHub about the webhooks and the App. `undefined` if there are none, or no credentials. */
  gitHubStatus?: (() => Promise<GitHubStatus>) | undefined
  rateLimits?: Pick<RateLimits, 'list'> | undefined
  role?: 'all' | 'receiver' | 'worker' | undefined
  /** Whether the server runs with --dev. */
  dev?: boolean | undefined
}

/** One operation of the API, with its description for `/api/v1/openapi.json`. */
export interface Route {
  method: 'get' | 'post' | 'delete'
  /** The path below `/api/v1`, in the syntax of OpenAPI: `/deliveries/{id}`. */
  path: string
  /** Needs no token. */
  open?: true | undefined
  /** Whether the read-only token allows the request. It always allows `get`. */
  forReaders?: true | undefined
  /** The Operation Object of OpenAPI, without the members that all operations share. */
  operation: Readonly<Record<string, unknown>> & { responses: Readonly<Record<string, object>> }
  handle(context: Context): Promise<Response>
}

type QuerySchema = Schema & { entries: v.ObjectEntries }

/** @template Query Schema of the query's parameters. @template Body, Answer Names of schemas. */
interface RouteDefinition<Query extends QuerySchema, Body extends SchemaName, Answer extends SchemaName>
  extends Pick<Route, 'method' | 'path' | 'open' | 'forReaders'> {
  operationId: string
  summary: string
  /** Header parameters. Path and query parameters are described automatically. */
  headers?: readonly object[]
  query?: Query
  body?: Body
  bodyRequired?: true
  /** The maximum number of bytes of a body. Default: 1 MiB. */
  maxBody?: number
  /** The schema of a JSON answer. */
  answer?: Answer
  /** The status of a JSON answer. Default: 200. */
  status?: 200 | 201
  /** Answers that are not JSON. */
  responses?: Readonly<Record<string, object>>
  /** The problem if there is no object with the id in the path. Default: there is no delivery. */
  notFound?: (id: string) => ProblemError
  /** Statuses of problems. Those that follow from the query, the body and the path are added automatically. */
  problems?: readonly number[]
  handle(request: CheckedRequest<v.InferOutput<Query>, Output<Body>>): MaybePromise<Response | Output<Answer>>
}

interface CheckedRequest<Query, Body> {
  context: Context
  query: Query
  body: Body
  /** The id in the path. 0 if the path has none. */
  id: number
}

type MaybePromise<Value> = Value | Promise<Value>

/** Creates a route. The same schemas check and describe its requests. */
export function route<Query extends QuerySchema, Body extends SchemaName, Answer extends SchemaName>(
  definition: RouteDefinition<Query, Body, Answer>,
): Route {
  const { method, path, open, forReaders, operationId, summary, headers = [], query, body } = definition
  const { maxBody = 2 ** 20, answer, status = 200 } = definition
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
        ...(answer && { [status]: { description: answer, content: jsonOf(answer) } }),
        ...definition.responses,
        ...problemResponses(...statuses),
      },
    },
    async handle(context) {
      const request = {
        context,
        id: path.includes('{id}') ? idIn(context, definition.notFound) : 0,
        query: query && check(query, parametersIn(context)),
        body: bodySchema && check(bodySchema, await readJson(context, maxBody)),
      }
      const answered = await definition.handle(request as CheckedRequest<v.InferOutput<Query>, Output<Body>>)
      return answered instanceof Response ? answered : context.json(answered as object, status)
    },
  }
}

const jsonOf = (name: SchemaName): object => ({ 'application/json': { schema: reference(name) } })

const pathSchemas: Readonly<Record<string, object>> = {
  id: { description: 'The id of a delivery or a failure group', schema: { type: 'integer', minimum: 1 } },
  event: { description: 'An event, or an event and an action: issues.opened', schema: { type: 'string' } },
  name: { description: 'The name of a handler or a schedule', schema: { type: 'string' } },
}

const pathParameters = (path: string): object[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({ name, in: 'path', required: true, ...pathSchemas[name] }))

/** The id in the path. @throws {ProblemError} */
function idIn(context: Context, notFound: (id: string) => ProblemError = noDelivery): number {
  const text = context.req.param('id') ?? ''
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw notFound(text)
}

export const noDelivery = (id: string | number): ProblemError =>
  new ProblemError('not_found', `There is no delivery ${id}`)

/** The parameters of a query. A parameter has a list of values if the query repeats it, otherwise one value. */
function parametersIn(context: Context): Record<string, unknown> {
  const all = Object.entries(context.req.queries())
  return Object.fromEntries(all.map(([name, values]) => [name, values.length === 1 ? values[0] : values]))
}

/** Reads a JSON object. An empty body is an empty object. @param limit Bytes. @throws {ProblemError} */
async function readJson(context: Context, limit: number): Promise<Record<string, unknown>> {
  const bytes = await readBytes(context, limit)
  if (bytes.length === 0) return {}
  if (!/^application\/json *(;|$)/i.test(context.req.header('content-type') ?? '')) {
    throw new ProblemError('unsupported_media_type', 'The body must be JSON: set Content-Type: application/json')
  }
  assertParsedSize(bytes)
  try {
    const body: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (isObject(body)) return body
  } catch {
    // Falls through to the error below.
  }
  throw new ProblemError('invalid_json', 'The body is not a JSON object')
}

/** @throws {ProblemError} if the parsed value might not fit into memory, which would end the process. */
export function assertParsedSize(json: Uint8Array): void {
  if (estimateParsedSize(json, 'json') <= parsedSizeLimit(heapLimit())) return
  throw new ProblemError('payload_too_large', 'The parsed body would need too much memory')
}

/** Reads a body. Stops when it exceeds the limit, even if `Content-Length` is wrong. @throws {ProblemError} */
async function readBytes(context: Context, limit: number): Promise<Uint8Array> {
  const tooLarge = () => new ProblemError('payload_too_large', `The body is too large: the limit is ${limit} bytes`)
  if (Number(context.req.header('content-length') ?? 0) > limit) throw tooLarge()
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    // Canceling the stream would close the connection before the answer is sent.
    for await (const chunk of context.req.raw.body?.values({ preventCancel: true }) ?? []) {
      length += chunk.length
      if (length > limit) break
      chunks.push(chunk)
    }
  } catch {
    // The client ended the request early, so there is nothing to log.
    throw new ProblemError('invalid_request', 'The connection closed before the whole body arrived')
  }
  if (length > limit) throw tooLarge()
  return Buffer.concat(chunks)
}
