import { createServer, type Server } from 'node:http'
import { hookserver } from 'hookserver/node'
import type { Bench } from '../delivery.ts'
import { hooksFor } from './hooks.ts'

export default (bench: Bench): Server => createServer(hookserver(hooksFor(bench)))
