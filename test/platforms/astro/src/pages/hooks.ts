import type { APIRoute } from 'astro'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/web'

export const prerender = false

const hooks = new Hooks({
  secret: () => process.env.GITHUB_WEBHOOKS_KEY,
  ranges: process.env.HOOK_RANGES?.split(','), // HOOK_RANGES=127.0.0.1 to try it; the default is GitHub's addresses
})
hooks.hook('ping', () => 'pong')
hooks.hook('push', ({ commits }) => `${commits.length} commits`)

const receive = hookserver(hooks, {
  path: false, // Astro has matched the path
  clientAddress: (_request, context) => context.clientAddress,
})
export const POST: APIRoute = (context) => receive(context.request, context)
