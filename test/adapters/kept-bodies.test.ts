/** Bodies that other software has read and kept: hookserver finds the bytes. */
import type { IncomingMessage, RequestListener, Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import express from 'express'
import express4 from 'express4'
import fastify from 'fastify'
import rawBody from 'fastify-raw-body'
import { Hono } from 'hono'
import Koa from 'koa'
import bodyParser from 'koa-bodyparser'
import { describe, expect, test } from 'vitest'
import { hookserver as inExpress } from '../../src/adapters/express.ts'
import { hookserver as inFastify } from '../../src/adapters/fastify.ts'
import { hookserver as inHono } from '../../src/adapters/hono.ts'
import { hookserver as inKoa } from '../../src/adapters/koa.ts'
import { hookserver as inNode } from '../../src/adapters/node.ts'
import { Hooks } from '../../src/index.ts'
import { signedRequest } from '../../src/testing/index.ts'
import { serving } from './host.ts'

const secret = 's'
const hooks = new Hooks({ secret, validateIp: false, logger: false })
hooks.hook('*', ({ text }) => text)
const payload = { text: 'naïve 🚀\u2028', list: [1.0, 1e3] }

/** Sends JSON with white space, so that parsing and serializing it again would break the signature. */
async function takes(server: RequestListener | Server): Promise<void> {
  const delivery = signedRequest('push', { secret, payload: JSON.stringify(payload, null, 2) })
  await serving(server, async (origin) => {
    const answer = await fetch(`${origin}/hooks`, delivery)
    expect([answer.status, await answer.text()]).toEqual([200, payload.text])
  })
}

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('%s', (_version, create) => {
  test('express.raw()', () => takes(create().use(create.raw({ type: '*/*' }), inExpress(hooks)) as RequestListener))

  test('express.text()', () => takes(create().use(create.text({ type: '*/*' }), inExpress(hooks)) as RequestListener))

  test('express.json() with an option "verify" that keeps rawBody', () => {
    const verify = (request: IncomingMessage, _response: unknown, bytes: Buffer) =>
      void Object.assign(request, { rawBody: bytes })
    return takes(create().use(create.json({ verify }), inExpress(hooks)) as RequestListener)
  })

  test('a parser for another content type does not read the body', () =>
    takes(
      create().use(
        create.urlencoded({ extended: false }),
        create.json({ type: 'text/json' }),
        inExpress(hooks),
      ) as RequestListener,
    ))
})

test('Google Cloud Functions: rawBody next to a parsed body', () => {
  const handle = inNode(hooks)
  return takes(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const rawBody = Buffer.concat(chunks)
    await handle(Object.assign(request, { rawBody, body: JSON.parse(rawBody.toString()) }), response)
  })
})

test('koa-bodyparser', () => {
  const app = new Koa()
  app.use(bodyParser()).use(inKoa(hooks))
  return takes(app.callback())
})

test('koa-body with includeUnparsed', () => {
  const app = new Koa()
  app.use(async (context, next) => {
    const chunks: Buffer[] = []
    for await (const chunk of context.req) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    Object.assign(context.request, { body: { ...JSON.parse(text), [Symbol.for('unparsedBody')]: text } })
    await next()
  })
  app.use(inKoa(hooks))
  return takes(app.callback())
})

test('fastify-raw-body, without a change to the parsers of the application', async () => {
  const app = fastify()
  await app.register(rawBody, { global: true, encoding: false })
  await app.register(inFastify, { hooks })
  app.post('/other', async ({ body }) => body)
  await app.ready()
  const other = await app.inject({ method: 'POST', url: '/other', payload: { parsed: true } })
  expect(other.json()).toEqual({ parsed: true })
  await takes(app.server)
})

test.each(['json', 'text', 'arrayBuffer', 'blob'] as const)('Hono, after context.req.%s()', (read) => {
  const app = new Hono()
  app.use(async (context, next) => {
    await context.req[read]()
    await next()
  })
  app.use(inHono(hooks))
  return takes(createAdaptorServer({ fetch: app.fetch }) as Server)
})
