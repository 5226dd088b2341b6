/** Who is measured, loaded only in the process that serves it. */
import type { Server } from 'node:http'
import type { Bench } from './delivery.ts'

const load =
  (file: string, options?: object) =>
  async (bench: Bench): Promise<Server> =>
    (await import(file)).default(bench, options)

export const contestants = {
  floor: load('./servers/floor.ts'),
  'hookserver/node': load('./servers/node.ts'),
  'hookserver/express': load('./servers/express.ts'),
  'hookserver/fastify': load('./servers/fastify.ts'),
  'hookserver/hono': load('./servers/hono.ts'),
  'hookserver/node, SQLite': load('./servers/inbox.ts', { work: false }),
  'hookserver/node, SQLite, handling too': load('./servers/inbox.ts', { work: true }),
  'hookserver/node, SQLite, filled': load('./servers/inbox.ts', {
    work: false,
    file: process.env.HOOKSERVER_BENCH_FILLED,
  }),
  'hookserver/node, Postgres': load('./servers/inbox.ts', {
    work: false,
    database: process.env.HOOKSERVER_BENCH_POSTGRES,
    schema: 'receiving',
  }),
  'hookserver/node, Postgres, handling too': load('./servers/inbox.ts', {
    work: true,
    database: process.env.HOOKSERVER_BENCH_POSTGRES,
    schema: 'handling',
  }),
  '@octokit/webhooks': load('./rivals/octokit.js'),
  'github-webhook-handler': load('./rivals/github-webhook-handler.js'),
  'express-github-webhook': load('./rivals/express-github-webhook.js'),
} as const

/** `hookserver serve` as a process of its own, with its arguments. */
export const services = {
  'hookserver serve, receiver': ['--role', 'receiver'],
  'hookserver serve, all': [new URL('./service/hooks.ts', import.meta.url).pathname],
} as const

export type Name = keyof typeof contestants | keyof typeof services

/** Those that store nothing. */
export const unstored: Name[] = (Object.keys(contestants) as Name[]).filter((name) => !/SQLite|Postgres/.test(name))
