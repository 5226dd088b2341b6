import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { listen, onClose } from '../../src/server/listener.ts'

/** The response to a client that keeps its connection open, and a function that closes the connection. */
async function answering(): Promise<{ outgoing: ServerResponse; leave: () => void }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  client.on('error', () => undefined)
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const [, outgoing] = (await once(server, 'request')) as [unknown, ServerResponse]
  return { outgoing, leave: () => client.destroy() }
}

test.each([
  [1000, 20_000],
  [9000, 20_000],
  [29_000, 34_000],
])('a server with the replyTimeout %s lets a request arrive for %i ms', async (replyTimeout, expected) => {
  const server = await listen(() => {}, { host: '127.0.0.1', port: 0, flag: 'port', replyTimeout })
  onTestFinished(() => void server.close())
  expect(server.requestTimeout).toBe(expected)
})

test('a server closes the connections above its maximum', async () => {
  const server = await listen((_request, response) => response.end(), {
    ...{ host: '127.0.0.1', port: 0, flag: 'port' },
    maxConnections: 1,
  })
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const first = connect(port, '127.0.0.1')
  await once(server, 'connection')
  const second = connect(port, '127.0.0.1')
  second.on('error', () => undefined)
  await once(second, 'close')
  expect(first.closed).toBe(false)
  first.destroy()
})

test('onClose calls the function when the client disconnects', async () => {
  const { outgoing, leave } = await answering()
  const work = vi.fn()
  onClose(outgoing, work)
  expect(work).not.toHaveBeenCalled()
  leave()
  await vi.waitFor(() => expect(work).toHaveBeenCalledOnce())
})

test('onClose calls the function immediately if the client has already disconnected', async () => {
  const { outgoing, leave } = await answering()
  leave()
  await once(outgoing, 'close')
  const work = vi.fn()
  onClose(outgoing, work)
  expect(work).toHaveBeenCalledOnce()
})
