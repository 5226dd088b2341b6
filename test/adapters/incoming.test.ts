import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, request as send } from 'node:http'
import * as http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type Incoming, IncomingRequest, leaveUnread, type Outgoing } from '../../src/adapters/incoming.ts'

class Request extends EventEmitter {
  headers = {}
  readableDidRead = true
  readableEnded = false
  complete = false
  destroyed: boolean

  constructor({ destroyed }: { destroyed: boolean }) {
    super()
    this.destroyed = destroyed
  }

  pause(): void {}
  resume(): void {}
  destroy(): void {
    this.destroyed = true
    this.emit('close')
  }
}

test('the rest of a body is discarded until the request closes, and not after that', () => {
  vi.useFakeTimers()
  const response = Object.assign(new EventEmitter(), { destroy() {} })
  const open = new Request({ destroyed: false })
  leaveUnread(open, response)
  expect([open.listenerCount('data'), vi.getTimerCount()]).toEqual([1, 1])
  open.destroy()
  expect(vi.getTimerCount()).toBe(0)

  const closed = new Request({ destroyed: true })
  leaveUnread(closed, response)
  expect([closed.eventNames(), vi.getTimerCount()]).toEqual([[], 0])
  vi.useRealTimers()
})

const headersOf = (request: Incoming) => new IncomingRequest(request, '/', request, { cure: '' }).headers

test('each header has one text, although Node.js makes a list of Set-Cookie', async () => {
  const server = createServer((request, response) => response.end(JSON.stringify(headersOf(request)))).listen(0)
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const request = send({ port, headers: { 'set-cookie': ['a=1', 'b=2'], connection: 'close' } }).end()
  const [reply] = (await once(request, 'response')) as [IncomingMessage]
  const headers = JSON.parse(Buffer.concat(await reply.toArray()).toString())
  expect(headers).toEqual({ 'set-cookie': 'a=1, b=2', connection: 'close', host: expect.any(String) })
})

/** Starts an HTTP/2 server, and sends requests to it over one connection. */
async function overHttp2(listener: (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => void) {
  const server = http2.createServer(listener).listen(0)
  await once(server, 'listening')
  const session = http2.connect(`http://localhost:${(server.address() as AddressInfo).port}`)
  onTestFinished(() => {
    session.destroy()
    server.close()
  })
  return (headers: http2.OutgoingHttpHeaders) => session.request({ ':method': 'POST', ...headers })
}

test('the headers of an HTTP/2 request do not include pseudo-headers', async () => {
  const request = await overHttp2((incoming, response) => void response.end(JSON.stringify(headersOf(incoming))))
  const stream = request({ 'x-github-event': 'push', 'set-cookie': ['a=1', 'b=2'] }).end()
  const headers = JSON.parse(Buffer.concat(await stream.toArray()).toString())
  expect(headers).toEqual({ 'x-github-event': 'push', 'set-cookie': 'a=1, b=2' })
})

test.each([
  ['sends no more of it', 1],
  ['sends too much of it', 3 * 1024 * 1024],
])('the stream of an HTTP/2 request is closed after the rejection if the sender %s', async (_name, size) => {
  const request = await overHttp2((incoming, response) => {
    leaveUnread(incoming, response as Outgoing)
    response.writeHead(400).end('rejected')
  })
  const stream = request({})
  stream.write(Buffer.alloc(size))
  const closed = once(stream, 'close')
  const reply = await stream.toArray()
  await closed
  expect(Buffer.concat(reply).toString()).toBe('rejected')
})
