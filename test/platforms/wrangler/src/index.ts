import { env } from 'cloudflare:workers'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/web'

const hooks = new Hooks({
  secret: env.GITHUB_WEBHOOKS_KEY,
  ranges: env.HOOK_RANGES?.split(','), // HOOK_RANGES=127.0.0.1 to try it; the default is GitHub's addresses
})
hooks.hook('ping', () => 'pong')
hooks.hook('push', ({ commits }) => `${commits.length} commits`)

export default { fetch: hookserver(hooks, { clientAddress: 'cloudflare' }) }
