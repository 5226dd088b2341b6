import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP proxy between a process and the database. While a test blocks the proxy, data waits without an error. */
export class NetworkLink {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #target: URL
  #blocked = false

  private constructor(target: URL) {
    this.#target = target
    this.#server = createServer((here) => {
      const there = connect(Number(this.#target.port), this.#target.hostname)
      this.#carry(here, there)
      this.#carry(there, here)
    })
  }

  static async to(url: string): Promise<NetworkLink> {
    const link = new NetworkLink(new URL(url))
    link.#server.listen(0, '127.0.0.1')
    await once(link.#server, 'listening')
    return link
  }

  /** `url` with the port of this proxy. */
  urlOf(url: string): string {
    return Object.assign(new URL(url), { port: (this.#server.address() as AddressInfo).port }).href
  }

  /** Leads later connections to another server. */
  redirect(url: string): void {
    this.#target = new URL(url)
  }

  block(): void {
    this.#blocked = true
    for (const socket of this.#sockets) socket.pause()
  }

  /** Unblocks the proxy, which then passes the waiting data on. */
  unblock(): void {
    this.#blocked = false
    for (const socket of this.#sockets) socket.resume()
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #carry(from: Socket, to: Socket): void {
    this.#sockets.add(from)
    if (this.#blocked) from.pause()
    from.setNoDelay(true)
    from.on('data', (data) => to.write(data))
    from.on('end', () => to.end())
    from.on('error', () => to.destroy())
    from.on('close', () => {
      this.#sockets.delete(from)
      to.destroy()
    })
  }
}
