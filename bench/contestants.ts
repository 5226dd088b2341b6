/** The measured servers. The module of a server is loaded only in the process that runs it. */
export type Store = 'SQLite' | 'PostgreSQL' | 'Redis'
export type Runtime = 'Bun' | 'Deno' | 'Node.js' | 'workerd'

interface Definition {
  /** A module whose default export creates the server. With a `runtime`, its default export has `fetch`. */
  file?: string
  options?: object
  /** The arguments of `hookserver serve`, which runs in place of a `file`. */
  args?: readonly string[]
  /** Where the server commits each delivery before it answers. */
  store?: Store
  /** The runtime that calls `fetch` of the `file`. In Node.js, `@hono/node-server` calls it. */
  runtime?: Runtime
}

/** The handlers that the part `web` compares in each runtime. */
const [floor, web, rival] = ['./web/floor.ts', './start/worker.js', './rivals/octokit-worker.js']

export const contestants = {
  floor: { file: './servers/floor.ts' },
  'hookserver/node': { file: './servers/node.ts' },
  'hookserver/express': { file: './servers/express.ts' },
  'hookserver/fastify': { file: './servers/fastify.ts' },
  'hookserver/koa': { file: './servers/koa.ts' },
  'hookserver/hono': { file: './servers/hono.ts' },
  'hookserver/web': { file: './servers/web.ts' },
  'hookserver/lambda': { file: './servers/lambda.ts' },
  '@octokit/webhooks': { file: './rivals/octokit.js' },
  'github-webhook-handler': { file: './rivals/github-webhook-handler.js' },
  'express-github-webhook': { file: './rivals/express-github-webhook.js' },
  'hookserver/node, SQLite': { file: './servers/inbox.ts', options: { work: false }, store: 'SQLite' },
  'hookserver/node, SQLite, with handlers': { file: './servers/inbox.ts', options: { work: true }, store: 'SQLite' },
  'hookserver serve, receiver': { args: ['--role', 'receiver'], store: 'SQLite' },
  'hookserver serve, all': { args: [new URL('./service/hooks.ts', import.meta.url).pathname], store: 'SQLite' },
  '@octokit/webhooks + INSERT': { file: './rivals/octokit-insert.js', store: 'SQLite' },
  '@octokit/webhooks + BullMQ': { file: './rivals/octokit-bullmq.js', store: 'Redis' },
  'hookserver/node, PostgreSQL': { file: './servers/inbox.ts', options: { work: false }, store: 'PostgreSQL' },
  'hookserver/node, PostgreSQL, with handlers': {
    file: './servers/inbox.ts',
    options: { work: true },
    store: 'PostgreSQL',
  },
  '@octokit/webhooks + pg-boss.send': { file: './rivals/octokit-pg-boss.js', store: 'PostgreSQL' },
  'floor, Bun': { file: floor, runtime: 'Bun' },
  'hookserver/web, Bun': { file: web, runtime: 'Bun' },
  'createWebMiddleware, Bun': { file: rival, runtime: 'Bun' },
  'floor, Deno': { file: floor, runtime: 'Deno' },
  'hookserver/web, Deno': { file: web, runtime: 'Deno' },
  'createWebMiddleware, Deno': { file: rival, runtime: 'Deno' },
  'floor, Node.js': { file: floor, runtime: 'Node.js' },
  'hookserver/web, Node.js': { file: web, runtime: 'Node.js' },
  'createWebMiddleware, Node.js': { file: rival, runtime: 'Node.js' },
  'floor, workerd': { file: floor, runtime: 'workerd' },
  'hookserver/web, workerd': { file: web, runtime: 'workerd' },
  'createWebMiddleware, workerd': { file: rival, runtime: 'workerd' },
} satisfies Record<string, Definition>

export type Name = keyof typeof contestants

export const definitionOf = (name: Name): Definition => contestants[name]

const names = Object.keys(contestants) as Name[]

export const unstored: readonly Name[] = names.filter(
  (name) => !definitionOf(name).store && !definitionOf(name).runtime,
)
export const inRuntimes: readonly Name[] = names.filter((name) => definitionOf(name).runtime)
export const stored: readonly Name[] = names.filter((name) => definitionOf(name).store)

/** @throws {Error} if a name is unknown. */
export function checkNames(given: readonly string[]): Name[] {
  for (const name of given) {
    if (!(name in contestants)) throw new Error(`Unknown server "${name}". Known: ${names.join('; ')}`)
  }
  return given as Name[]
}
