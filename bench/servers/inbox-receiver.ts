import type { Server } from 'node:http'
import type { Bench } from '../delivery.ts'
import { serveInbox } from './inbox.ts'

/** Stores and answers; another process would handle. */
export default (bench: Bench): Server => serveInbox(bench, { work: false })
