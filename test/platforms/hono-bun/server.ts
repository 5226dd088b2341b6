import { Hono } from 'hono'
import { getConnInfo } from 'hono/bun'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/hono'

const hooks = new Hooks({
  ranges: process.env.HOOK_RANGES?.split(','), // HOOK_RANGES=127.0.0.1 to try it; the default is GitHub's addresses
})
hooks.hook('ping', () => 'pong')
hooks.hook('push', ({ commits }) => `${commits.length} commits`)

const app = new Hono()
app.use(hookserver(hooks, { clientAddress: (context) => getConnInfo(context).remote.address }))
app.get('/', (context) => context.text('hello'))

export default { hostname: '127.0.0.1', port: process.env.PORT ?? 3000, fetch: app.fetch }
