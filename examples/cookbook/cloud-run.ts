/** A service of Google Cloud Run, with its inbox in PostgreSQL. docs/cookbook/cloud-run.md explains it. */
import { createServer } from 'node:http'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/node'
import { postgres } from 'hookserver/postgres'

const hooks = new Hooks({
  inbox: postgres(process.env.DATABASE_URL ?? '', { connections: 5 }),
  trustProxy: 1, // the front end of Google
  ranges: process.env.HOOK_RANGES?.split(','), // HOOK_RANGES=127.0.0.1 to try it; the default is GitHub's addresses
})
hooks.on('push', { name: 'deploy' }, ({ payload, log }) => log.info({ sha: payload.after }, 'Deploying'))

export const server = createServer(hookserver(hooks))
server.listen(process.env.PORT ?? 8080, () => console.log('Listening on', server.address()))

process.once('SIGTERM', async () => {
  server.close()
  await hooks.close({ grace: '5s' }) // Cloud Run kills the process 10 s after SIGTERM
})
