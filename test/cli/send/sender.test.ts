import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createSocketServer } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { nextDue, Sender } from '../../../src/cli/send/sender.ts'
import { listen } from './fixtures.ts'

const request = { headers: { 'content-length': '2' }, body: Buffer.from('{}') }

test('gives up after the timeout', async () => {
  const sender = new Sender(new URL(await listen(() => {})), 1, { timeoutMs: 30 })
  expect(await sender.send(request)).toEqual({
    failure: 'no answer within 0.03 s, the timeout of GitHub',
    refused: false,
  })
  sender.close()
})

test('reports a failure if the answer is incomplete', async () => {
  const origin = await listen((_request, response) => {
    response.writeHead(200, { 'content-length': '10' }).write('half')
    setImmediate(() => response.destroy())
  })
  const sender = new Sender(new URL(origin), 1)
  expect(await sender.send(request)).toMatchObject({
    failure: expect.stringContaining('before its answer was complete'),
  })
  sender.close()
})

test('keeps the beginning of a long answer', async () => {
  const sender = new Sender(new URL(await listen((_request, response) => void response.end('x'.repeat(200_000)))), 1)
  expect(await sender.send(request)).toMatchObject({ status: 200, text: 'x'.repeat(65_536) })
  sender.close()
})

test('aborts running requests when it is closed', async () => {
  const arrived = Promise.withResolvers<void>()
  const sender = new Sender(new URL(await listen(() => arrived.resolve())), 1)
  const outcome = sender.send(request)
  await arrived.promise
  sender.close()
  expect(await outcome).toHaveProperty('failure')
})

test('waits once for a server that is starting', async () => {
  const server = createServer((_request, response) => void response.end('here')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  let failedConnections = 0
  const listenAtFirst = () => void (++failedConnections === 1 && server.listen(port, '127.0.0.1'))
  subscribe('http.client.request.error', listenAtFirst)
  onTestFinished(() => void unsubscribe('http.client.request.error', listenAtFirst))
  const sender = new Sender(new URL(`http://127.0.0.1:${port}`), 1, { retryUntil: Number.POSITIVE_INFINITY })
  expect(await sender.send(request)).toMatchObject({ status: 200, text: 'here' })
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
  expect(await sender.send(request)).toMatchObject({ failure: expect.any(String) })
  expect(failedConnections).toBe(2)
  sender.close()
})

test('reports a failure if the server does not speak HTTP', async () => {
  const server = createSocketServer((socket) => void socket.end('220 smtp\r\n')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const sender = new Sender(new URL(`http://127.0.0.1:${port}`), 1)
  expect(await sender.send(request)).toMatchObject({ failure: expect.stringContaining('Parse Error'), refused: false })
  sender.close()
  server.close()
})

describe('requests at a rate', () => {
  /** The start times of 5 requests at 100 a second, if each starts `late(index)` ms after it is due. */
  function starts(late: (index: number) => number): number[] {
    let due = 0
    return Array.from({ length: 5 }, (_, index) => {
      const start = due + late(index)
      due = nextDue(due, 100, start)
      return start
    })
  }

  test('are evenly spaced, and delays of timers do not add up', () => {
    expect(starts(() => 0)).toEqual([0, 10, 20, 30, 40])
    expect(starts(() => 3)).toEqual([3, 13, 23, 33, 43])
  })

  test('make up for at most 100 ms after a long stop', () => {
    const due = starts((index) => (index === 0 ? 5000 : 0))
    expect(due).toEqual([5000, 4900, 4910, 4920, 4930])
  })
})
