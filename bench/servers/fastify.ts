import type { Server } from 'node:http'
import fastify from 'fastify'
import { hookserver } from 'hookserver/fastify'
import type { Bench } from '../delivery.ts'
import { hooksFor } from './hooks.ts'

export default async function inFastify(bench: Bench): Promise<Server> {
  const app = fastify()
  await app.register(hookserver, { hooks: hooksFor(bench) })
  await app.ready()
  return app.server
}
