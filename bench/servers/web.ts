import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { hookserver } from 'hookserver/web'
import type { Bench } from '../delivery.ts'
import { hooksFor } from './hooks.ts'

/** `hookserver/web` behind the conversion of `@hono/node-server`, without Hono. */
export default (bench: Bench): Server => createAdaptorServer({ fetch: hookserver(hooksFor(bench)) }) as Server
