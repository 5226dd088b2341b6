/** A server of your own with the probes of Kubernetes. docs/cookbook/probes.md explains it. */
import { createServer } from 'node:http'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/node'
import { sqlite } from 'hookserver/sqlite'

const inbox = sqlite(process.env.DATABASE ?? 'hookserver.db')
const hooks = new Hooks({ inbox, trustProxy: 'private' })
hooks.on('push', { name: 'deploy' }, ({ payload }) => console.log('Deploying', payload.after))

const receive = hookserver(hooks)

/** Why this process must not get deliveries, if there is a reason. */
async function problem(): Promise<string | undefined> {
  try {
    await inbox.checkWritable() // a test write
    return hooks.problems[0]?.message
  } catch (error) {
    return String(error)
  }
}

export const server = createServer(async (request, response) => {
  if (request.url === '/healthz') return response.end('ok') // says nothing about the database
  if (request.url !== '/readyz') return receive(request, response)
  const reason = await problem()
  if (reason !== undefined) console.error('Not ready:', reason) // the answer is public, and names no paths or hosts
  response.writeHead(reason === undefined ? 200 : 503).end(reason === undefined ? 'ok' : 'not ready')
})
server.listen(process.env.PORT ?? 8000, () => console.log('Listening on', server.address()))

process.once('SIGTERM', async () => {
  server.close()
  await hooks.close()
})
