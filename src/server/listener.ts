import { once } from 'node:events'
import type { RequestListener, Server, ServerOptions, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Timeouts in milliseconds, and the maximum size of all headers in bytes. */
const limits: ServerOptions = {
  headersTimeout: 10_000,
  keepAliveTimeout: 75_000, // longer than in most load balancers (60 s), which must close idle connections first
  connectionsCheckingInterval: 2000,
  maxHeaderSize: 16 * 1024,
}

/**
 * Milliseconds that a request may take to arrive. A delivery has its own, shorter timeout, `replyTimeout`, after which
 * the sender gets a reply.
 */
const requestTimeout = (replyTimeout = 0): number => Math.max(20_000, replyTimeout + 5000)

/** The maximum number of open connections. The server closes further ones immediately. */
const maxConnections = 20_000

interface Address {
  host: string
  port: number
  /** The flag of the port, for error messages. */
  flag: string
  /** The option of the receiver. */
  replyTimeout?: number
  /** Default: 20,000. */
  maxConnections?: number
}

/** A server cannot listen on its address. */
export class ListenError extends Error {}

/** Starts a server. @throws {ListenError} that says what to do. */
export async function listen(listener: RequestListener, address: Address): Promise<Server> {
  const { createServer } = await import('node:http') // most commands start faster without this module
  const server = createServer({ ...limits, requestTimeout: requestTimeout(address.replyTimeout) }, listener)
  server.maxConnections = address.maxConnections ?? maxConnections
  server.listen(address.port, address.host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw new ListenError(explain(cause as NodeJS.ErrnoException, address), { cause })
  }
  return server
}

function explain({ code, message }: NodeJS.ErrnoException, { host, port, flag }: Address): string {
  const where = `${host} port ${port}`
  if (code === 'EADDRINUSE') return `${where} is used by another program: choose another port with --${flag}`
  if (code === 'EACCES') return `This user may not use ${where}: choose a port above 1023 with --${flag}`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `${host} is not an address of this machine: ${message}`
  return `Cannot listen on ${where}: ${message}`
}

/** The address that a server listens on: `0.0.0.0:8000`. */
export function boundAddress(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo
  return `${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

/** The server's URL, for a browser or another program on this machine. */
export function addressOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo
  return address === '0.0.0.0' || address === '::' ? `http://localhost:${port}` : `http://${boundAddress(server)}`
}

/**
 * Calls `work` when the response has been sent or the client has disconnected. If this has already happened, calls
 * `work` immediately.
 */
export function onClose(outgoing: ServerResponse, work: () => void): void {
  if (isClosed(outgoing)) work()
  else outgoing.once('close', work)
}

/** Whether the response has been sent or the client has disconnected. The event `close` may follow in a later turn. */
export const isClosed = ({ closed, destroyed, socket }: ServerResponse): boolean =>
  closed || destroyed || socket?.destroyed === true
