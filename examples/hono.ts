/** Hono on Node.js: `GITHUB_WEBHOOKS_KEY=secret node examples/hono.ts` */
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/hono'

const hooks = new Hooks({ validateIp: 'warn' }) // 'warn' because you will try it from your own machine first

hooks.hook('ping', () => 'pong')
hooks.hook('star.created', ({ sender }) => Response.json({ thanks: sender?.login }, { status: 201 }))

const app = new Hono()
app.use(hookserver(hooks))
app.get('/', (context) => context.text('The rest of the application'))

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 8000) }, (address) => console.log('Listening on', address))
