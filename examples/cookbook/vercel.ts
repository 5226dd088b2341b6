/** A function of Vercel for the path `/api/hooks`: save it as `api/hooks.ts`. docs/cookbook/vercel.md explains it. */
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/web'

const hooks = new Hooks({
  secret: () => process.env.GITHUB_WEBHOOKS_KEY, // a function, because a build may import this file without the secret
  ranges: process.env.HOOK_RANGES?.split(','), // HOOK_RANGES=127.0.0.1 to try it; the default is GitHub's addresses
})
hooks.hook('ping', () => 'pong')
hooks.hook('issues.opened', ({ issue }) => `#${issue.number} ${issue.title}`)

export const POST = hookserver(hooks, {
  path: false, // Vercel has matched the path
  clientAddress: (request) => request.headers.get('x-real-ip') ?? undefined, // Vercel sets it
})
