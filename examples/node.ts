/** Plain Node.js: `GITHUB_WEBHOOKS_KEY=secret node examples/node.ts` */
import { createServer } from 'node:http'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/node'

const hooks = new Hooks({ validateIp: 'warn' }) // 'warn' because you will try it from your own machine first

hooks.hook('ping', ({ zen }) => `pong: ${zen}`)
hooks.hook('push', ({ ref, commits }, _guid, { repository }) => {
  console.log(`${commits.length} commits on ${ref} of ${repository}`)
})

const server = createServer(hookserver(hooks))
server.listen(process.env.PORT ?? 8000, () => console.log('Listening on', server.address()))

process.once('SIGTERM', async () => {
  server.close()
  await hooks.close() // answers the requests in progress first
})
