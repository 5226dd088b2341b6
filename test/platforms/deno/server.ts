import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/web'

const hooks = new Hooks({
  secret: Deno.env.get('GITHUB_WEBHOOKS_KEY'),
  ranges: Deno.env.get('HOOK_RANGES')?.split(','), // HOOK_RANGES=127.0.0.1 to try it; the default is GitHub's addresses
})
hooks.hook('ping', () => 'pong')
hooks.hook('push', ({ commits }) => `${commits.length} commits`)

const port = Number(Deno.env.get('PORT') ?? 3000)
Deno.serve({ hostname: '127.0.0.1', port }, hookserver(hooks, { clientAddress: 'deno' }))
