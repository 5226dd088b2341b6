/**
 * Sends the push at a steady rate. `autocannon` starts the requests of each second in one burst, so it measures its own
 * queue. Here, each request is sent when it is due. Its latency counts from then, and includes a wait for a connection.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { push } from './delivery.ts'

export interface SteadyLoad {
  /** Requests a second. */
  rate: number
  seconds: number
  connections: number
}

/** @returns the latency of each request in milliseconds. @throws {Error} unless all answers are 2xx. */
export async function steadyLoad(url: string, load: SteadyLoad): Promise<number[]> {
  const count = Math.round(load.rate * load.seconds)
  const request = requestFor(new URL(url))
  const connections = await Promise.all(Array.from({ length: load.connections }, () => Connection.open(new URL(url))))
  const latencies: number[] = []
  const waiting: number[] = []
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const sendNext = (connection: Connection): void => {
    const due = waiting.shift()
    if (due === undefined) return void free.push(connection)
    connection.send(request, (error) => {
      if (error) return reject(error)
      latencies.push(performance.now() - due)
      if (latencies.length === count) resolve()
      sendNext(connection)
    })
  }
  const free = [...connections]
  const start = performance.now()
  let sent = 0
  const timer = setInterval(() => {
    const now = performance.now()
    const due = Math.min(count, Math.ceil(((now - start) * load.rate) / 1000))
    for (; sent < due; sent++) waiting.push(now)
    while (waiting.length > 0 && free.length > 0) sendNext(free.pop() as Connection)
    if (sent === count) clearInterval(timer)
  }, 1)
  try {
    await promise
  } finally {
    clearInterval(timer)
    for (const connection of connections) connection.close()
  }
  return latencies
}

/**
 * The bytes of every request, always with the same GUID. A server that stores deliveries loads `unique-guids.ts`, which
 * replaces the GUID of each request by a new one. Otherwise all requests but the first would be duplicates.
 */
function requestFor({ host, pathname }: URL): Buffer {
  const { headers, body } = push()
  const all = { host, ...headers, 'content-length': String(Buffer.byteLength(body)) }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`POST ${pathname} HTTP/1.1\r\n${lines.join('')}\r\n${body}`)
}

/** A connection with one request at a time. */
class Connection {
  readonly #socket: Socket
  #answer = ''
  #done: ((error?: Error) => void) | undefined

  static async open({ hostname, port }: URL): Promise<Connection> {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    await once(socket, 'connect')
    return new Connection(socket)
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => this.#read(String(chunk)))
    socket.on('error', (error) => this.#done?.(error))
    socket.on('close', () => this.#done?.(new Error('The server closed the connection')))
  }

  send(request: Buffer, done: (error?: Error) => void): void {
    this.#done = done
    this.#socket.write(request)
  }

  close(): void {
    this.#done = undefined
    this.#socket.destroy()
  }

  #read(chunk: string): void {
    this.#answer += chunk
    if (!isComplete(this.#answer)) return
    const [, status = ''] = /^HTTP\/1\.1 (\d+)/.exec(this.#answer) ?? []
    this.#answer = ''
    this.#done?.(status.startsWith('2') ? undefined : new Error(`An answer had the status ${status}`))
  }
}

/** Whether an answer is complete, by `Content-Length` or by its last chunk. */
function isComplete(answer: string): boolean {
  const headers = answer.indexOf('\r\n\r\n')
  if (headers < 0) return false
  const length = /^content-length: (\d+)/im.exec(answer.slice(0, headers))?.[1]
  if (length === undefined) return answer.endsWith('\r\n0\r\n\r\n')
  return answer.length - headers - '\r\n\r\n'.length >= Number(length)
}
