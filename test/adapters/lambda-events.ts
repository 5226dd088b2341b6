import type { IncomingMessage, RequestListener } from 'node:http'
import type { LambdaEvent, LambdaHandler, LambdaResult } from '../../src/adapters/lambda.ts'

/** A complete request, as the services in front of Lambda pass it on. */
export interface WholeRequest {
  method: string
  path: string
  headers: Record<string, string>
  body: Buffer
  address: string
}

/** How each service converts a request to an event. */
export const eventShapes = {
  'API Gateway v1': ({ method, path, headers, body, address }: WholeRequest): LambdaEvent => ({
    httpMethod: method,
    path,
    headers: titleCased(headers),
    multiValueHeaders: Object.fromEntries(Object.entries(titleCased(headers)).map(([name, value]) => [name, [value]])),
    body: body.toString('base64'),
    isBase64Encoded: true,
    requestContext: { stage: 'prod', identity: { sourceIp: address } },
  }),
  'API Gateway v2 with a named stage': (request: WholeRequest): LambdaEvent => ({
    ...eventShapes['a Function URL']({ ...request, path: `/prod${request.path}` }),
    requestContext: { stage: 'prod', http: { method: request.method, sourceIp: request.address } },
  }),
  'a Function URL': ({ method, path, headers, body, address }: WholeRequest): LambdaEvent => ({
    rawPath: path,
    headers,
    ...textOrBase64(body),
    requestContext: { stage: '$default', http: { method, sourceIp: address } },
  }),
  'a load balancer': ({ method, path, headers, body, address }: WholeRequest): LambdaEvent => ({
    httpMethod: method,
    path,
    headers: {
      ...headers,
      'x-forwarded-for': [headers['x-forwarded-for'], address].filter((one) => one !== undefined).join(', '),
    },
    ...textOrBase64(body),
    requestContext: { elb: { targetGroupArn: 'arn' } },
  }),
  'a load balancer with multi-value headers': (request: WholeRequest): LambdaEvent => {
    const { headers, ...event } = eventShapes['a load balancer'](request)
    return {
      ...event,
      multiValueHeaders: Object.fromEntries(
        Object.entries(headers ?? {}).map(([name, value]) => [name, [value ?? '']]),
      ),
    }
  },
} satisfies Record<string, (request: WholeRequest) => LambdaEvent>

/** Function URLs and load balancers send text unchanged, and other bytes as base64. */
function textOrBase64(body: Buffer): Pick<LambdaEvent, 'body' | 'isBase64Encoded'> {
  const text = body.toString()
  return Buffer.from(text).equals(body)
    ? { body: text, isBase64Encoded: false }
    : { body: body.toString('base64'), isBase64Encoded: true }
}

function titleCased(headers: Record<string, string>): Record<string, string> {
  const title = (name: string) => name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase())
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [title(name), value]))
}

/** Serves a Lambda handler over HTTP, as a service in front of Lambda does. */
export function gateway(
  handlerFor: (path: string) => LambdaHandler,
  shape: (request: WholeRequest) => LambdaEvent,
): RequestListener {
  return async (request, response) => {
    const event = shape(await whole(request))
    const result = await handlerFor((request.url ?? '/').split('?')[0] as string)(event)
    response.writeHead(result.statusCode, headersOf(result))
    response.end(Buffer.from(result.body, result.isBase64Encoded ? 'base64' : 'utf8'))
  }
}

async function whole(request: IncomingMessage): Promise<WholeRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const [path = '/'] = (request.url ?? '/').split('?')
  const { method = '', socket, headers } = request
  return {
    method,
    path,
    headers: headers as Record<string, string>,
    body: Buffer.concat(chunks),
    address: socket.remoteAddress ?? '',
  }
}

function headersOf({ headers, multiValueHeaders, cookies }: LambdaResult): Record<string, string | string[]> {
  return { ...headers, ...multiValueHeaders, ...(cookies && { 'set-cookie': cookies }) }
}
