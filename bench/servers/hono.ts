import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { hookserver } from 'hookserver/hono'
import type { Bench } from '../delivery.ts'
import { hooksFor } from './hooks.ts'

export default (bench: Bench): Server =>
  createAdaptorServer({ fetch: new Hono().use(hookserver(hooksFor(bench))).fetch }) as Server
