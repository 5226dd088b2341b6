/** Fastify: `GITHUB_WEBHOOKS_KEY=secret node examples/fastify.ts` */
import fastify from 'fastify'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/fastify'

const hooks = new Hooks({ validateIp: 'warn' }) // 'warn' because you will try it from your own machine first

hooks.hook('ping', () => 'pong')
hooks.on(['pull_request.opened', 'pull_request.reopened'], ({ payload }) => {
  console.log(`Pull request ${payload.pull_request.number} was ${payload.action}`)
})

const app = fastify()
await app.register(hookserver, { hooks })
app.addHook('onClose', () => hooks.close())

await app.listen({ port: Number(process.env.PORT ?? 8000) })
console.log('Listening on', app.server.address())
