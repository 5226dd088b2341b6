import { describe, expect, test, vi } from 'vitest'
import { hookserver, type LambdaEvent } from '../../src/adapters/lambda.ts'
import { Hooks } from '../../src/index.ts'
import { signedRequest } from '../../src/testing/index.ts'
import { lambdaApplications } from './applications/lambda.ts'
import { holdsAdapterContract } from './host.ts'
import { eventShapes } from './lambda-events.ts'

for (const application of lambdaApplications) holdsAdapterContract(application)

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

  test.each([
    ['140.82.112.9', 200],
    ['140.82.112.9:1234', 200],
    ['192.0.2.1:1, 140.82.112.9:1234', 200],
    ['2a0a:a440::1', 200],
    ['[2a0a:a440::1]:1234', 200],
    ['[2a0a:a440::1]', 200],
    ['192.0.2.1:1234', 403],
    ['140.82.112.9:1, 192.0.2.1:1234', 403],
    ['140.82.112.9:port', 403],
  ])('checks the address that a load balancer writes as %s', async (forwarded, status) => {
    const ranges = ['140.82.112.0/20', '2a0a:a440::/29']
    const checked = hookserver(new Hooks({ validateSignature: false, ranges, logger: false }))
    const event = {
      ...{ httpMethod: 'POST', path: '/hooks', body, requestContext: { elb: {} } },
      headers: { ...headers, 'X-Forwarded-For': forwarded },
    }
    expect((await checked(event)).statusCode).toBe(status)
  })

  test.each([7, { action: 'created' }, [123, 125], true])('rejects an event with the body %j', async (given) => {
    const event = { httpMethod: 'POST', path: '/hooks', headers, body: given as unknown as string }
    const { statusCode, body: reply } = await handler(event)
    expect({ statusCode, ...JSON.parse(reply) }).toMatchObject({
      ...{ statusCode: 400, code: 'invalid_payload' },
      detail: `The "body" of the event must be a string, got ${typeof given}`,
    })
  })

  test('replies 500, and prints the error, if the body of a Response fails', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {})
    const failing = new Hooks({ validateSignature: false, validateIp: false })
    failing.hook('star', () => {
      const stream = new ReadableStream({ pull: (controller) => controller.error(new Error('the disk\u001b is gone')) })
      return new Response(stream, { headers: { 'set-cookie': 'a=1' } })
    })
    const result = await hookserver(failing)({ httpMethod: 'POST', path: '/hooks', headers, body })
    const text = print.mock.lastCall?.join(' ')
    print.mockRestore()
    expect(result).toMatchObject({ statusCode: 500, isBase64Encoded: false })
    expect(JSON.parse(result.body)).toMatchObject({ code: 'handler_failed', detail: 'A handler failed' })
    expect(text).toContain('The body of the Response of a hook failed: Error: the disk\\u001b is gone')
  })
})
