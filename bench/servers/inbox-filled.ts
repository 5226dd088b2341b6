import type { Server } from 'node:http'
import type { Bench } from '../delivery.ts'
import { serveInbox } from './inbox.ts'

/** Stores beside a million that are stored already. */
export default (bench: Bench): Server => serveInbox(bench, { work: false, file: process.env.HOOKSERVER_BENCH_FILLED })
