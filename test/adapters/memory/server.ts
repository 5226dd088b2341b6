/** `node server.ts <adapter>`: serves hookserver in one framework, with the default limits. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import { hookserver as inExpress } from '../../../src/adapters/express.ts'
import { hookserver as inFastify } from '../../../src/adapters/fastify.ts'
import { hookserver as inHono } from '../../../src/adapters/hono.ts'
import { hookserver as inKoa } from '../../../src/adapters/koa.ts'
import { hookserver as inNode } from '../../../src/adapters/node.ts'
import { hookserver as onWeb } from '../../../src/adapters/web.ts'
import { Hooks } from '../../../src/index.ts'

const hooks = new Hooks({ secret: 'a secret', validateIp: false, logger: false })

const servers: Record<string, () => Server | Promise<Server>> = {
  node: () => createServer(inNode(hooks)),
  express: () => createServer(express().use(inExpress(hooks)) as RequestListener),
  koa: () =>
    createServer(
      new Koa()
        .use(inKoa(hooks))
        .on('error', () => {})
        .callback(),
    ),
  hono: () => createAdaptorServer({ fetch: new Hono().use(inHono(hooks)).fetch }) as Server,
  web: () => createAdaptorServer({ fetch: onWeb(hooks) }) as Server,
  async fastify() {
    const app = fastify()
    await app.register(inFastify, { hooks })
    await app.ready()
    return app.server
  },
}

const server = await (servers[process.argv[2] ?? ''] as () => Server | Promise<Server>)()
server.listen(0, '127.0.0.1', () => console.log(`listening on ${(server.address() as AddressInfo).port}`))
