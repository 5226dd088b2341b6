import { createServer } from 'node:http'
import { describe, expect, test } from 'vitest'
import { hookserver, type LambdaEvent } from '../../src/adapters/lambda.ts'
import { Hooks } from '../../src/index.ts'
import { signedRequest } from '../../src/testing/index.ts'
import { holdsAdapterContract } from './host.ts'
import { eventShapes, gateway } from './lambda-events.ts'

for (const [title, shape] of Object.entries(eventShapes)) {
  holdsAdapterContract(
    `Lambda behind ${title}`,
    (mounts) => {
      const handlers = new Map(mounts.map(({ hooks, options }) => [options.url, hookserver(hooks, options)]))
      const fallback = handlers.get('/contract/plain') as ReturnType<typeof hookserver>
      return createServer(gateway((path) => handlers.get(path) ?? fallback, shape))
    },
    // Cases with `about: 'streaming'` need a server that calls hookserver before the body of the request is complete.
    // Cases with `about: 'consuming'` need other software that reads the body before hookserver does. Lambda has
    // neither, so these cases are left out.
    // The case `response` expects a response with two cookies. Behind a load balancer without multi-value headers,
    // hookserver can send only one cookie, so the case is left out there.
    { applies: ({ id, about }) => about === undefined && !(id === 'response' && title === 'a load balancer') },
  )
}

describe('Lambda', () => {
  const hooks = new Hooks({ secret: 's', validateIp: false, logger: false })
  hooks.hook('star', () => {
    const headers = new Headers([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ])
    return new Response('a star', { status: 201, headers })
  })
  const handler = hookserver(hooks)
  const { headers, body } = signedRequest('star.created', { secret: 's' })

  test('sends only the first cookie to a load balancer without multi-value headers', async () => {
    const event = eventShapes['a load balancer']({
      method: 'POST',
      path: '/hooks',
      headers,
      body: Buffer.from(body),
      address: '192.0.2.1',
    })
    const result = await handler(event)
    expect(result).toMatchObject({ statusCode: 201, headers: { 'set-cookie': 'a=1' }, isBase64Encoded: true })
    expect(Buffer.from(result.body, 'base64').toString()).toBe('a star')
  })

  test('rejects an event that is not an HTTP request', async () => {
    const scheduled = { source: 'aws.events' } as unknown as LambdaEvent
    await expect(handler(scheduled)).rejects.toThrow(/The event is not an HTTP request/)
  })

  test('accepts an event without headers or body', async () => {
    const event: LambdaEvent = {
      rawPath: '/hooks',
      headers: null,
      body: null,
      requestContext: { http: { method: 'POST', sourceIp: '::1' } },
    }
    expect((await handler(event)).statusCode).toBe(400)
  })
  test('accepts a hand-written event without a requestContext', async () => {
    const off = hookserver(new Hooks({ validateSignature: false, validateIp: false }))
    expect((await off({ httpMethod: 'POST', path: '/hooks', headers, body })).statusCode).toBe(200)
  })
})
