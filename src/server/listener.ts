import { once } from 'node:events'
import { createServer, type RequestListener, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * What a client may take, in milliseconds: to send its headers, and a whole request; and how long a connection may be
 * idle between two. A delivery has a limit of its own, below that of a request.
 */
const limits: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  keepAliveTimeout: 75_000, // longer than the 60 s of most load balancers, so that they are the ones to hang up
  connectionsCheckingInterval: 2000,
  maxHeaderSize: 16 * 1024,
}

/** Connections that are open at a time; those beyond are closed at once. */
const mostConnections = 20_000

/** A server that listens, or an error that names the cure. */
export async function listen(
  listener: RequestListener,
  { host, port, flag }: { host: string; port: number; flag: string },
): Promise<Server> {
  const server = createServer(limits, listener)
  server.maxConnections = mostConnections
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw new Error(explain(cause as NodeJS.ErrnoException, { host, port, flag }), { cause })
  }
  return server
}

function explain({ code, message }: NodeJS.ErrnoException, { host, port, flag }: Parameters<typeof listen>[1]): string {
  const where = `${host} port ${port}`
  if (code === 'EADDRINUSE') return `${where} is taken by another program: choose another with --${flag}`
  if (code === 'EACCES') return `${where} may not be used by this user: choose one from 1024 on with --${flag}`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `${host} is no address of this machine: ${message}`
  return `Cannot listen on ${where}: ${message}`
}

/** As a browser, or curl, wants it. */
export function addressOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo
  if (address === '0.0.0.0' || address === '::') return `http://localhost:${port}`
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

const loopback = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/

export const isLoopback = (host: string): boolean => loopback.test(host)

/** Calls `work` when an answer has ended or its client has gone, or at once if that has happened already. */
export function onClose(outgoing: ServerResponse, work: () => void): void {
  if (outgoing.closed || outgoing.destroyed || outgoing.socket?.destroyed) work()
  else outgoing.once('close', work)
}
