/** Senders without a valid signature that try to fill the memory of a server with bodies. */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'

export const MiB = 1024 * 1024

export interface Target {
  /** `http://127.0.0.1:PORT` */
  origin: string
  path: string
}

/** Starts 100 requests over five connections at a time. Each sends a quarter of 25 MiB, and disconnects. */
export async function sendAborted(target: Target): Promise<void> {
  const part = Buffer.alloc((25 * MiB) / 4, '{')
  const sendInTurn = async () => {
    for (let i = 0; i < 20; i++) {
      const socket = open(target, { 'content-length': String(25 * MiB) })
      socket.resume()
      const closed = firstOf(socket, 'close')
      socket.write(part, () => socket.destroy())
      await closed
    }
  }
  await Promise.all(Array.from({ length: 5 }, sendInTurn))
}

/**
 * Sends 30 bodies without `Content-Length` that exceed 25 MiB by a little and never end, over connections that stay
 * open. Resolves when the server has replied to each of them or has closed its connection.
 */
export async function sendOversized(target: Target): Promise<void> {
  const size = 25 * MiB + 1000
  const body = Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), Buffer.alloc(size, '{')])
  const sendOne = async () => {
    const socket = open(target, { 'transfer-encoding': 'chunked' })
    const replied = firstOf(socket, 'data', 'close')
    socket.write(body)
    await replied
    return socket
  }
  const sockets = await Promise.all(Array.from({ length: 30 }, sendOne))
  for (const socket of sockets) socket.destroy()
}

/** Resolves at the first of the events. `once` of `node:events` would reject when the server resets the connection. */
function firstOf(socket: Socket, ...events: string[]): Promise<void> {
  return new Promise((resolve) => {
    for (const event of events) socket.once(event, () => resolve())
  })
}

/** Connects, and sends the head of a request. */
function open({ origin, path }: Target, headers: Record<string, string>): Socket {
  const { hostname, port } = new URL(origin)
  const socket = connect({ host: hostname, port: Number(port) }).on('error', () => {})
  const all = {
    host: 'localhost',
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-github-delivery': 'a',
    'x-hub-signature-256': `sha256=${'0'.repeat(64)}`,
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
  return socket
}

/** The most bytes of resident memory that a process has had. */
export function peakMemory(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}
