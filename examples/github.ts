/** Recovers missed deliveries: `GITHUB_WEBHOOKS_KEY=secret GITHUB_TOKEN=… HOOK=acme/shop#7 node examples/github.ts` */
import { createServer } from 'node:http'
import { Hooks } from 'hookserver'
import { startRecovery } from 'hookserver/github'
import { hookserver } from 'hookserver/node'
import { sqlite } from 'hookserver/sqlite'

const hooks = new Hooks({
  inbox: sqlite(process.env.DATABASE ?? 'hookserver.db'),
  apiUrl: process.env.GITHUB_API_URL, // for an Enterprise Server; unset for github.com
  token: process.env.GITHUB_TOKEN, // with the permission "Webhooks", read and write
  validateIp: 'warn', // 'warn' because you will try it from your own machine first
})

hooks.on('push', { name: 'log' }, ({ payload, guid }) => console.log(`Handled ${guid}: ${payload.ref}`))

const server = createServer(hookserver(hooks))
server.listen(process.env.PORT ?? 8000, () => console.log('Listening on', server.address()))

const recovery = startRecovery(hooks, { targets: process.env.HOOK ?? 'acme/shop#7' })

process.once('SIGTERM', async () => {
  server.close()
  await recovery.stop()
  await hooks.close()
})
