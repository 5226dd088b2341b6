import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/web'

const hooks = new Hooks({
  secret: () => process.env.GITHUB_WEBHOOKS_KEY, // a function, because `next build` imports this file without the secret
  ranges: process.env.HOOK_RANGES?.split(','), // HOOK_RANGES=127.0.0.1 to try it; the default is GitHub's addresses
})
hooks.hook('ping', () => 'pong')
hooks.hook('push', ({ commits }) => `${commits.length} commits`)

export const POST = hookserver(hooks, {
  path: false, // Next.js has matched the path
  clientAddress: (request) => request.headers.get('x-real-ip') ?? undefined, // Vercel or your reverse proxy sets it
})
