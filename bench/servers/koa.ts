import { createServer, type Server } from 'node:http'
import { hookserver } from 'hookserver/koa'
import Koa from 'koa'
import type { Bench } from '../delivery.ts'
import { hooksFor } from './hooks.ts'

export default (bench: Bench): Server => createServer(new Koa().use(hookserver(hooksFor(bench))).callback())
