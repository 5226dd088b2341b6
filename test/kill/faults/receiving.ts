import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hookserver } from '../../../src/adapters/node.ts'
import { Hooks } from '../../../src/index.ts'
import { type SqliteOptions, sqlite } from '../../../src/sqlite/index.ts'
import { signedRequest } from '../../../src/testing/index.ts'
import { afterwards } from './scene.ts'

const secret = 'a secret'

/** A receiver in this process, on a real port, with the route `/other` besides that of deliveries. */
export async function startReceiver(file: string, options: SqliteOptions = {}, work = true) {
  const inbox = sqlite(file, options)
  const hooks = new Hooks({ secret, validateIp: false, inbox, work, logger: false })
  const handled = new Set<string>()
  hooks.on('push', { name: 'handler', backoff: '1ms' }, ({ guid }) => void handled.add(guid))
  hooks.on('push', { name: 'wordy', backoff: '1ms' }, () => 'a result that takes some room, '.repeat(20))
  const handle = hookserver(hooks)
  const server = createServer((request, response) => {
    if (request.url === '/other') response.end('other')
    else void handle(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  afterwards(async () => {
    server.close()
    server.closeAllConnections()
    await hooks.close()
  })
  return { inbox, hooks, handled, ...senderTo(url) }
}

function senderTo(url: string) {
  return {
    /** Sends a delivery with a body of about `bytes` that cannot be compressed much, because it is random. */
    async send({ bytes = 10, guid = randomUUID() as string } = {}) {
      const payload = JSON.stringify({ guid, padding: randomBytes(Math.ceil(bytes * 0.75)).toString('base64') })
      const answer = await fetch(`${url}/hooks`, signedRequest('push', { secret, guid, payload }))
      const retryAfter = answer.headers.get('retry-after')
      return { guid, status: answer.status, retryAfter, text: await answer.text() }
    },
    async other(): Promise<string> {
      return (await fetch(`${url}/other`)).text()
    },
  }
}
