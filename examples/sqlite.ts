/** Stores deliveries in a file before it answers: `GITHUB_WEBHOOKS_KEY=secret node examples/sqlite.ts` */
import { createServer } from 'node:http'
import { type Delivery, Discard, Hooks } from 'hookserver'
import { hookserver } from 'hookserver/node'
import { sqlite } from 'hookserver/sqlite'

const hooks = new Hooks({
  inbox: sqlite(process.env.DATABASE ?? 'hookserver.db'),
  validateIp: 'warn', // 'warn' because you will try it from your own machine first
  onDead: ({ error, delivery }) => console.error(`Given up: ${delivery.event} ${delivery.guid}:`, error),
})

hooks.hook('ping', ({ zen }) => console.log(`Handled after the answer: ${zen}`))
hooks.on('push', { name: 'deploy', attempts: 5, order: 'repository' }, deploy) // the name must never change

async function deploy({ payload: { ref, after } }: Delivery<'push'>): Promise<string> {
  if (ref !== 'refs/heads/main') throw new Discard('only main is deployed')
  return `deployed ${after}` // the result is stored with the attempt
}

const server = createServer(hookserver(hooks))
server.listen(process.env.PORT ?? 8000, () => console.log('Listening on', server.address()))

process.once('SIGTERM', async () => {
  server.close()
  await hooks.close() // waits for running handlers; the next process retries those that do not end in time
})
