/** A route of Next.js for the path `/api/hooks`: save it as `app/api/hooks/route.ts`. */
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/web'

const hooks = new Hooks({
  secret: () => process.env.GITHUB_WEBHOOKS_KEY, // a function, because `next build` imports this file without the secret
  ranges: process.env.HOOK_RANGES?.split(','), // HOOK_RANGES=127.0.0.1 to try it; the default is GitHub's addresses
})

hooks.on(['issues.opened', 'pull_request.opened'], ({ event, payload, log }) => {
  const { title } = event === 'issues' ? payload.issue : payload.pull_request
  log.info({ title }, 'Opened')
})
hooks.hook('ping', () => 'pong')

export const POST = hookserver(hooks, {
  path: false, // Next.js has matched the path
  clientAddress: (request) => request.headers.get('x-real-ip') ?? undefined, // Vercel or your reverse proxy sets it
})
