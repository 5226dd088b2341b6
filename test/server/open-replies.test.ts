import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { OpenReplies } from '../../src/server/open-replies.ts'

/** A connection with a request that has no reply yet. */
async function openRequest(replies: OpenReplies) {
  const { promise, resolve } = Promise.withResolvers<ServerResponse>()
  const server = createServer(replies.track((_, response) => resolve(response)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined)
  client.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
  return { client, response: await promise }
}

test('waits for a reply that is not sent', async () => {
  const replies = new OpenReplies()
  const { client, response } = await openRequest(replies)
  let isSent = false
  const sent = replies.sent().then(() => {
    isSent = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(isSent).toBe(false)
  response.end('ok')
  await sent
  client.destroy()
})

test('does not wait for a client whose connection is being closed', async () => {
  const replies = new OpenReplies()
  const { response } = await openRequest(replies)
  response.socket?.destroy() // as after a reset by the client; the event `close` follows in a later turn
  // A loop that never leaves its turn would stop this whole process, so it gets an error instead.
  let reads = 0
  const socket = Object.defineProperty(response.socket as object, 'destroyed', {
    configurable: true,
    get() {
      if (++reads > 100) throw new Error('sent() does not let the event loop go on')
      return true
    },
  })
  await replies.sent()
  Reflect.deleteProperty(socket, 'destroyed')
})
