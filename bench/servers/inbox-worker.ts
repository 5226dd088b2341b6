import type { Server } from 'node:http'
import type { Bench } from '../delivery.ts'
import { serveInbox } from './inbox.ts'

/** Stores, answers, and handles when nobody is being answered. */
export default (bench: Bench): Server => serveInbox(bench, { work: true })
