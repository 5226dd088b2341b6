import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/node'

const hooks = new Hooks({
  secret: () => process.env.GITHUB_WEBHOOKS_KEY, // a function, because `next build` imports this file without the secret
  ranges: process.env.HOOK_RANGES?.split(','), // HOOK_RANGES=127.0.0.1 to try it; the default is GitHub's addresses
})
hooks.hook('ping', () => 'pong')
hooks.hook('push', ({ commits }) => `${commits.length} commits`)

export const config = { api: { bodyParser: false } } // the signature covers the bytes of the body
export default hookserver(hooks, { path: '/api/hooks' })
