/** An API that sends without end, or far too much: readable deliveries are stored, and memory stays bounded. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { inboxFile } from '../inbox/stores.ts'

const path = '/repos/acme/shop/hooks/1/deliveries'
const program = new URL('hostile-process.ts', import.meta.url).pathname

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

let lastId = 3_840_000_000_000_000_000n

function entry(): object {
  const id = String(++lastId)
  // After the inbox is created, which takes the process that reads the log a moment.
  const times = { delivered_at: new Date(Date.now() + 60_000).toISOString(), duration: 0.1, throttled_at: null }
  const result = { status: 'failed to connect to host', status_code: 502, redelivery: false }
  return { id, guid: crypto.randomUUID(), event: 'push', action: null, ...times, ...result }
}

const json = (response: ServerResponse, body: string, headers: Record<string, string> = {}) =>
  void response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body)

/** Sends 6 GB of white space, or as much of it as the client reads. */
function sendSpace(response: ServerResponse): void {
  const chunk = ' '.repeat(2 ** 20)
  let left = 6000
  const send = () => {
    while (!response.destroyed && left-- > 0) if (!response.write(chunk)) return void response.once('drain', send)
    response.end()
  }
  response.writeHead(200, { 'content-type': 'application/json' })
  send()
}

interface Result {
  /** By how many MiB the memory of the process grew. */
  growth: number
  problem: string
  stored: number
  /** The statuses of the newest missed deliveries. */
  missed: string[]
}

/** V8 collects garbage late if the machine has much memory. With these limits, it keeps little more than is in use. */
const limits = ['--max-old-space-size=96', '--max-semi-space-size=2']

/** In MiB. Much less than the answers of this API, and more than V8 needs before it collects garbage. */
const maxGrowth = 160

async function read(mode: 'recovery' | 'polling', address: string): Promise<Result> {
  const args = [...limits, program, address, inboxFile(), mode]
  return JSON.parse((await promisify(execFile)(process.execPath, args)).stdout)
}

describe.each(['recovery', 'polling'] as const)('%s', (mode) => {
  test('reads a delivery beside one of 6 GB', async () => {
    const entries = [entry(), entry()] as [{ id: string }, object]
    const address = await serve(({ url = '' }, response) => {
      if (url.startsWith(`${path}?`)) json(response, JSON.stringify(entries))
      else if (url.endsWith(entries[0].id)) sendSpace(response)
      else json(response, '{"id":1,"request":{"headers":{},"payload":{"ref":"main"}}}')
    })
    const { growth, stored, missed } = await read(mode, address)
    expect([stored, missed]).toEqual([1, expect.arrayContaining(['The answer is larger than 28 MiB'])])
    expect(growth).toBeLessThan(maxGrowth)
  })

  test('survives a list of 6 GB', async () => {
    const { growth, stored } = await read(mode, await serve((_request, response) => sendSpace(response)))
    expect(stored).toBe(0)
    expect(growth).toBeLessThan(maxGrowth)
  })

  test('keeps the oldest 20,000 of 50,000 missed deliveries in memory', async () => {
    let pages = 0
    const list = JSON.stringify(Array.from({ length: 100 }, entry))
    const address = await serve(({ url = '' }, response) => {
      if (!url.startsWith(`${path}?`)) return json(response, '{"message":"no"}')
      // Each page has other GUIDs.
      const page = list.replaceAll(/"guid":"\w{8}/g, `"guid":"${(++pages).toString(16).padStart(8, '0')}`)
      json(response, page, pages < 500 ? { link: `<https://api/?cursor=${pages}>; rel="next"` } : {})
    })
    const { growth } = await read(mode, address)
    expect(pages).toBe(500)
    expect(growth).toBeLessThan(maxGrowth)
  })
})
