import { Elysia } from 'elysia'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/web'

const hooks = new Hooks({
  ranges: process.env.HOOK_RANGES?.split(','), // HOOK_RANGES=127.0.0.1 to try it; the default is GitHub's addresses
})
hooks.hook('ping', () => 'pong')
hooks.hook('push', ({ commits }) => `${commits.length} commits`)

const receive = hookserver(hooks, { clientAddress: 'bun' })

new Elysia()
  .post('/hooks', ({ request, server }) => receive(request, server), { parse: 'none' }) // hookserver reads the body
  .get('/', () => 'hello')
  .listen({ hostname: '127.0.0.1', port: process.env.PORT ?? 3000 })
