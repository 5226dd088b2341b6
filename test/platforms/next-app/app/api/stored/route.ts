import { Hooks } from 'hookserver'
import { sqlite } from 'hookserver/sqlite'
import { hookserver } from 'hookserver/web'
import { version } from './version'

const hooks = new Hooks({
  secret: () => process.env.GITHUB_WEBHOOKS_KEY, // a function, because `next build` imports this file without the secret
  ranges: process.env.HOOK_RANGES?.split(','), // HOOK_RANGES=127.0.0.1 to try it; the default is GitHub's addresses
  inbox: sqlite('hookserver.db'),
})
hooks.on('push', { name: 'deploy' }, () => `version ${version}`)

const running = globalThis as { hooks?: Hooks }
void running.hooks?.close() // a hot reload imports this file again: the handlers of the import before must end
running.hooks = hooks

export const POST = hookserver(hooks, {
  path: false, // Next.js has matched the path
  clientAddress: (request) => request.headers.get('x-real-ip') ?? undefined, // Vercel or your reverse proxy sets it
})
