/** Middleware that touches the stream of the body before hookserver reads it. */
import type { IncomingMessage, RequestListener, Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono, type MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { methodOverride } from 'hono/method-override'
import Koa from 'koa'
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
hooks.hook('*', ({ text }) => String((text as string).length))

/** Bytes of bodies that arrive in one chunk, that fill the buffer of a stream, and that exceed it. */
const sizes = [100, 128_000, 200_000, 3_000_000]

function delivery(size: number, form = false): ReturnType<typeof signedRequest> {
  return signedRequest('push', { secret, payload: JSON.stringify({ text: 'x'.repeat(size) }), form })
}

describe('Hono on Node.js', () => {
  const rebuild: MiddlewareHandler = async (context, next) => {
    context.req.raw = new Request(context.req.raw, { headers: context.req.raw.headers })
    await next()
  }
  const touch: MiddlewareHandler = (context, next) => {
    void context.req.raw.body
    return next()
  }
  const limit = bodyLimit({ maxSize: 4_000_000 })
  const override = methodOverride({ app: new Hono() })

  test.each([
    ['that looks at the body', touch],
    ['that builds another request', rebuild],
    ['bodyLimit', limit],
    ['methodOverride', override],
  ])('receives deliveries of any size and of both types behind a middleware %s', async (_, middleware) => {
    const app = new Hono().use(middleware).use(inHono(hooks))
    await serving(createAdaptorServer({ fetch: app.fetch }) as Server, async (origin) => {
      for (const size of sizes) {
        for (const form of [false, true]) {
          const answer = await fetch(`${origin}/hooks`, delivery(size, form))
          expect([answer.status, await answer.text()]).toEqual([200, String(size)])
        }
      }
    })
  })
})

describe('a stream whose encoding is set', () => {
  const set = (request: IncomingMessage) => void request.setEncoding('utf8')
  const inFastifyServer = async () => {
    const app = fastify()
    app.addHook('onRequest', async ({ raw }) => set(raw))
    await app.register(inFastify, { hooks })
    await app.ready()
    return app.server
  }
  const servers: Record<string, () => RequestListener | Server | Promise<Server>> = {
    'node:http': () => (request, response) => {
      set(request)
      void inNode(hooks)(request, response)
    },
    Express: () =>
      express()
        .use((request, _response, next) => {
          set(request)
          next()
        })
        .use(inExpress(hooks))
        .use(
          ((error, _request, response, _next) =>
            void response.status(error.statusCode).send(error.message)) as express.ErrorRequestHandler,
        ),
    Koa: () => {
      const app = new Koa()
      app.use(async ({ req }, next) => {
        set(req)
        await next()
      })
      return app
        .use(inKoa(hooks))
        .on('error', () => {})
        .callback()
    },
    Fastify: inFastifyServer,
  }

  test.each(Object.keys(servers))('is rejected with the solution in %s', async (name) => {
    const server = await (servers[name] as () => RequestListener | Server | Promise<Server>)()
    await serving(server, async (origin) => {
      for (const size of sizes) {
        const answer = await fetch(`${origin}/hooks`, delivery(size))
        expect(answer.status).toBe(500)
        const text = await answer.text()
        if (name !== 'Koa') expect(text).toContain('consumed before hookserver could verify it: ')
      }
    })
  })
})
