import { Buffer } from 'node:buffer'
import { HookError } from '../errors.ts'
import { type Body, type HookReply, type HookRequest, isResponse, problemReply } from '../http.ts'
import type { MountOptions } from '../options.ts'
import { escapeUnsafe } from '../runtime/untrusted-text.ts'
import { createHmac } from './hmac.ts'
import { type Mountable, mount } from './mount.ts'
import { headersOf } from './outgoing.ts'

/** The members that hookserver reads in events of API Gateway (v1 and v2), Function URLs and load balancers. */
export interface LambdaEvent {
  /** v2 and Function URLs. */
  rawPath?: string | undefined
  /** v1 and load balancers. */
  path?: string | undefined
  httpMethod?: string | undefined
  headers?: Record<string, string | undefined> | null | undefined
  multiValueHeaders?: Record<string, string[] | undefined> | null | undefined
  body?: string | null | undefined
  isBase64Encoded?: boolean | undefined
  requestContext?:
    | {
        stage?: string | undefined
        elb?: unknown
        http?: { method: string; sourceIp: string } | undefined
        identity?: { sourceIp?: string | null | undefined } | undefined
      }
    | undefined
}

/** The reply in the form that AWS Lambda expects. */
export interface LambdaResult {
  statusCode: number
  headers?: Record<string, string>
  multiValueHeaders?: Record<string, string[]>
  cookies?: string[]
  body: string
  isBase64Encoded: boolean
}

/** A handler for AWS Lambda. */
export type LambdaHandler = (event: LambdaEvent, context?: unknown) => Promise<LambdaResult>

/**
 * Serves deliveries on AWS Lambda: `export const handler = hookserver(hooks, options)`. The reply to a rejected request
 * or after a failed handler is `application/problem+json`.
 * @throws {TypeError} (the handler rejects) for an event that is not an HTTP request.
 */
export function hookserver(hooks: Mountable, options?: MountOptions): LambdaHandler {
  const receiver = mount(hooks, options, {}, hookserver)
  return async (event) => {
    const request = new LambdaRequest(event)
    const reply = await receiver.receive(request).catch((error: HookError) => problemReply(error))
    return resultOf(event, reply).catch((error: unknown) => resultOf(event, failedBody(error)))
  }
}

class LambdaRequest implements HookRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly address: string | undefined
  readonly native: readonly [LambdaEvent]
  readonly createHmac = createHmac

  constructor(event: LambdaEvent) {
    const context = event.requestContext ?? {}
    const path = event.rawPath === undefined ? event.path : withoutStage(event.rawPath, context.stage)
    const method = context.http?.method ?? event.httpMethod
    if (path === undefined || method === undefined) {
      throw new TypeError(
        'The event is not an HTTP request: invoke this function through API Gateway, a Function URL or a load balancer',
      )
    }
    const headers = lowerCased(event)
    this.method = method
    this.path = path
    this.native = [event]
    this.address = context.http?.sourceIp ?? context.identity?.sourceIp ?? undefined
    // A load balancer appends the address of its client to X-Forwarded-For. That client sent the entries before
    // this address.
    if (context.elb) {
      const hops = headers['x-forwarded-for']?.split(',') ?? []
      this.address = withoutPort(hops.pop())
      headers['x-forwarded-for'] = hops.length > 0 ? hops.join(',') : undefined
    }
    this.headers = headers
  }

  body(): Body {
    const { body, isBase64Encoded } = this.native[0]
    const text: unknown = body ?? ''
    if (typeof text !== 'string') {
      throw new HookError('invalid_payload', { detail: `The "body" of the event must be a string, got ${typeof text}` })
    }
    return { bytes: Buffer.from(text, isBase64Encoded ? 'base64' : 'utf8') }
  }
}

/** API Gateway v2 prefixes the path with the name of the stage, unless that is `$default`. */
function withoutStage(rawPath: string, stage: string | undefined): string {
  const prefix = `/${stage}`
  return stage !== undefined && rawPath.startsWith(`${prefix}/`) ? rawPath.slice(prefix.length) : rawPath
}

/** A load balancer that keeps the ports of its clients adds them: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function withoutPort(entry: string | undefined): string | undefined {
  const [, v6, v4] = /^(?:\[(.*)\](?::\d+)?|([\d.]+):\d+)$/.exec(entry?.trim() ?? '') ?? []
  return v6 ?? v4 ?? entry?.trim()
}

/** Headers with lower-case names: v1 and load balancers pass them on as the sender wrote them. */
function lowerCased({ headers, multiValueHeaders }: LambdaEvent): Record<string, string | undefined> {
  const entries = Object.entries(headers ?? {})
  const multiple = Object.entries(multiValueHeaders ?? {}).map(([name, values]) => [name, values?.join(', ')] as const)
  return Object.fromEntries([...entries, ...multiple].map(([name, value]) => [name.toLowerCase(), value]))
}

/**
 * The reply if the body of a hook's `Response` failed. The receiver has already returned the `Response`, so this
 * function logs the error to the console, whose output Lambda collects.
 */
function failedBody(cause: unknown): HookReply {
  console.error('%s', `hookserver: The body of the Response of a hook failed: ${escapeUnsafe(String(cause))}`)
  return problemReply(new HookError('handler_failed', { cause }))
}

/**
 * A reply in the format of the event's source.
 * @throws (rejects) with the error of the body of a `Response`.
 */
async function resultOf(event: LambdaEvent, reply: HookReply): Promise<LambdaResult> {
  const encoded = isResponse(reply)
  const body = encoded ? Buffer.from(await reply.arrayBuffer()).toString('base64') : (reply.body ?? '')
  const { 'set-cookie': cookies = [], ...rest } = encoded ? headersOf(reply) : (reply.headers as Record<string, string>)
  const headers = rest as Record<string, string>
  const result = { statusCode: reply.status, body, isBase64Encoded: encoded }
  if (event.requestContext?.http) return { ...result, headers, ...(cookies.length > 0 && { cookies: [...cookies] }) }
  const multiValueHeaders = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]))
  if (cookies.length > 0) multiValueHeaders['set-cookie'] = [...cookies]
  // A load balancer reads either `headers` or `multiValueHeaders`, as configured; API Gateway reads both.
  return event.requestContext?.elb && !event.multiValueHeaders
    ? { ...result, headers: { ...headers, ...(cookies[0] !== undefined && { 'set-cookie': cookies[0] }) } }
    : { ...result, headers, multiValueHeaders }
}
