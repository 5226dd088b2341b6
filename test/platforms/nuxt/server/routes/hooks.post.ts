import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/web'

const hooks = new Hooks({
  ranges: process.env.HOOK_RANGES?.split(','), // HOOK_RANGES=127.0.0.1 to try it; the default is GitHub's addresses
})
hooks.hook('ping', () => 'pong')
hooks.hook('push', ({ commits }) => `${commits.length} commits`)

const receive = hookserver(hooks, {
  path: false, // Nuxt has matched the path
  clientAddress: (_request, event) => getRequestIP(event),
})
// Nuxt imports the functions of h3 automatically.
export default defineEventHandler((event) => receive(toWebRequest(event), event))
