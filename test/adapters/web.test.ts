import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { describe, expect, test } from 'vitest'
import { hookserver } from '../../src/adapters/web.ts'
import { Hooks } from '../../src/index.ts'
import { signedRequest } from '../../src/testing/index.ts'
import { application } from '../runtimes/application.ts'
import { holdsAdapterContract } from './host.ts'

holdsAdapterContract('web', (mounts) => createAdaptorServer({ fetch: application(hookserver, mounts) }) as Server, {
  clientAddress: () => '127.0.0.1',
})

describe('a body whose stream fails', () => {
  const limit = Object.assign(new Error('Content-length of 600000 exceeds limit of 524288 bytes.'), { status: 413 })

  test.each([
    ['because the platform limits its size', 413, 'payload_too_large', limit],
    ['for another reason', 400, 'body_aborted', new Error('socket hang up')],
    ['without an error', 400, 'body_aborted', undefined],
  ])('%s is answered %i %s', async (_, status, code, error) => {
    const handle = hookserver(new Hooks({ secret: 's', validateIp: false, logger: false }))
    const { headers } = signedRequest('ping', { secret: 's' })
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{'))
      },
      pull: (controller) => controller.error(error),
    })
    const request = new Request('http://localhost/hooks', {
      method: 'POST',
      headers,
      body,
      duplex: 'half',
    } as RequestInit)
    const reply = await handle(request)
    expect([reply.status, await reply.json()]).toMatchObject([status, { code }])
  })
})
