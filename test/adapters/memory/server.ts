/** `node server.ts <adapter>`: serves hookserver in one framework, with the default limits. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Hooks } from '../../../dist/index.js'

const hooks = new Hooks({ secret: 'a secret', validateIp: false, logger: false })

/** Each loads only its framework. */
const servers: Record<string, () => Promise<Server>> = {
  async node() {
    const { hookserver } = await import('../../../dist/adapters/node.js')
    return createServer(hookserver(hooks))
  },
  async express() {
    const { default: express } = await import('express')
    const { hookserver } = await import('../../../dist/adapters/express.js')
    return createServer(express().use(hookserver(hooks)) as RequestListener)
  },
  async koa() {
    const { default: Koa } = await import('koa')
    const { hookserver } = await import('../../../dist/adapters/koa.js')
    const app = new Koa().use(hookserver(hooks)).on('error', () => {})
    return createServer(app.callback())
  },
  async hono() {
    const { createAdaptorServer } = await import('@hono/node-server')
    const { Hono } = await import('hono')
    const { hookserver } = await import('../../../dist/adapters/hono.js')
    return createAdaptorServer({ fetch: new Hono().use(hookserver(hooks)).fetch }) as Server
  },
  async web() {
    const { createAdaptorServer } = await import('@hono/node-server')
    const { hookserver } = await import('../../../dist/adapters/web.js')
    return createAdaptorServer({ fetch: hookserver(hooks) }) as Server
  },
  async fastify() {
    const { fastify } = await import('fastify')
    const { hookserver } = await import('../../../dist/adapters/fastify.js')
    const app = fastify()
    await app.register(hookserver, { hooks })
    await app.ready()
    return app.server
  },
}

const server = await (servers[process.argv[2] ?? ''] as () => Promise<Server>)()
server.listen(0, '127.0.0.1', () => console.log(`listening on ${(server.address() as AddressInfo).port}`))
