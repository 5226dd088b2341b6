import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/web'
import { defineHandler } from 'nitro/h3'

const hooks = new Hooks({
  ranges: process.env.HOOK_RANGES?.split(','), // HOOK_RANGES=127.0.0.1 to try it; the default is GitHub's addresses
})
hooks.hook('ping', () => 'pong')
hooks.hook('push', ({ commits }) => `${commits.length} commits`)

const receive = hookserver(hooks, {
  path: false, // Nitro has matched the path
  clientAddress: (request) => request.ip,
})
export default defineHandler((event) => receive(event.req))
