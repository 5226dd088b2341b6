/** Koa: `GITHUB_WEBHOOKS_KEY=secret node examples/koa.ts` */
import { Hooks } from 'hookserver'
import { errorHandler, hookserver } from 'hookserver/koa'
import Koa from 'koa'

const hooks = new Hooks({ validateIp: 'warn' }) // 'warn' because you will try it from your own machine first

hooks.hook('ping', () => 'pong')
hooks.hook('release.published', ({ release }) => ({ announced: release.tag_name }))

const app = new Koa()
app.use(errorHandler) // before everything else
app.use(hookserver(hooks))
app.use((context) => {
  context.body = 'The rest of the application'
})

const server = app.listen(process.env.PORT ?? 8000, () => console.log('Listening on', server.address()))
