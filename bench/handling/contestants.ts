/** The queues that the part `handling` compares. The module of a queue is loaded only in the processes that run it. */
import type { Store } from '../contestants.ts'

interface Definition {
  /** A module whose default export creates the queue. */
  file: string
  store: Store
  /** The number of processes that handle pushes. Default: 1. */
  processes?: number
  ordered?: boolean
  /** The program that runs the processes. Default: Node.js. */
  runtime?: 'bun'
  /** Whether the pickup time is measured. Some rivals only poll for new jobs, by default every second or less often. */
  pickup?: boolean
}

const hookserver = './hookserver.ts'

export const contestants = {
  'hookserver, SQLite': { file: hookserver, store: 'SQLite', pickup: true },
  'plainjob, Bun': { file: '../rivals/plainjob.js', store: 'SQLite', runtime: 'bun' },
  'hookserver, PostgreSQL': { file: hookserver, store: 'PostgreSQL', pickup: true },
  'hookserver, PostgreSQL, ordered': { file: hookserver, store: 'PostgreSQL', ordered: true },
  'hookserver, PostgreSQL, two workers': { file: hookserver, store: 'PostgreSQL', processes: 2 },
  'graphile-worker': { file: '../rivals/graphile-worker.js', store: 'PostgreSQL', pickup: true },
  'pg-boss': { file: '../rivals/pg-boss.js', store: 'PostgreSQL' },
  BullMQ: { file: '../rivals/bullmq.js', store: 'Redis', pickup: true },
} satisfies Record<string, Definition>

export type Name = keyof typeof contestants

export const names = Object.keys(contestants) as Name[]

export const definitionOf = (name: Name): Definition => contestants[name]
