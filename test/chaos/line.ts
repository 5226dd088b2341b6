import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A machine's connection to the database, which drops all data without an error when a test blocks it. */
export class Line {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #dead = false

  private constructor(host: string, port: number) {
    this.#server = createServer((here) => {
      const there = connect(port, host)
      this.#carry(here, there)
      this.#carry(there, here)
    })
  }

  static async to(url: string): Promise<Line> {
    const { hostname, port } = new URL(url)
    const line = new Line(hostname, Number(port))
    line.#server.listen(0, '127.0.0.1')
    await once(line.#server, 'listening')
    return line
  }

  /** The same database, at this end of the line. */
  urlOf(url: string): string {
    return Object.assign(new URL(url), { port: (this.#server.address() as AddressInfo).port }).href
  }

  die(): void {
    this.#dead = true
    for (const socket of this.#sockets) socket.pause()
  }

  /** Delivers the held data. */
  goOn(): void {
    this.#dead = false
    for (const socket of this.#sockets) socket.resume()
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #carry(from: Socket, to: Socket): void {
    this.#sockets.add(from)
    if (this.#dead) from.pause()
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
