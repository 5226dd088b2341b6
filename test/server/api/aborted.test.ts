import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { storeIn } from '../../inbox/stores.ts'
import { type Admin, openAdmin, token } from '../administered.ts'

/** Sends the beginning of a request, and waits until the server has read it. */
async function begin(admin: Admin, requestLine: string, more: readonly string[] = []): Promise<Socket> {
  const socket = connect(admin.port, '127.0.0.1')
  socket.on('error', () => undefined) // the server may reset the connection
  const lines = [`${requestLine} HTTP/1.1`, `Host: ${admin.host}`, `Authorization: Bearer ${token}`, ...more]
  await new Promise((resolve) => socket.write(`${lines.join('\r\n')}\r\n\r\n`, resolve))
  await admin.get('/readyz')
  return socket
}

const withBody = ['Content-Type: application/json', 'Content-Length: 100']

test.each([
  ['breaks off', (socket: Socket) => void socket.destroy()],
  ['ends its side', (socket: Socket) => void socket.end().resume()],
])('logs nothing when a client %s in the middle of a body', async (_how, stop) => {
  const admin = await openAdmin()
  const { json } = await admin.get('/api/v1/openapi.json')
  const paths = Object.keys(json.paths).filter((path) => 'post' in json.paths[path])
  expect(paths).toContain('/api/v1/session')
  for (const path of paths) {
    const socket = await begin(admin, `POST ${path.replace('{id}', '1')}`, withBody)
    const closed = once(socket, 'close')
    socket.write('{"token": ')
    stop(socket)
    await closed
    await admin.get('/readyz') // when this is answered, the server has handled the end of the connection
    expect([path, admin.recorder.lines]).toEqual([path, []])
  }
})

test('logs nothing when a client disconnects in the middle of an answer', async () => {
  const admin = await openAdmin()
  const id = await storeIn(admin.inbox, {}, { body: randomBytes(20_000_000) })
  for (const path of ['/api/v1/stream', `/api/v1/deliveries/${id}/body`, '/api/v1/stats', '/metrics', '/']) {
    const socket = await begin(admin, `GET ${path}`)
    if (!socket.readableLength) await once(socket, 'readable')
    const closed = once(socket, 'close')
    socket.destroy()
    await closed
    await admin.get('/readyz')
    expect([path, admin.recorder.lines]).toEqual([path, []])
  }
})
