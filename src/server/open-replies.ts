import type { RequestListener, ServerResponse } from 'node:http'
import { isClosed, onClose } from './listener.ts'

/** The replies of the listeners that are not sent completely. Lets a shutdown send them before it closes connections. */
export class OpenReplies {
  readonly #open = new Set<ServerResponse>()
  #closeConnections = false

  track(listener: RequestListener): RequestListener {
    return (request, response) => {
      this.#open.add(response)
      response.once('close', () => this.#open.delete(response))
      if (this.#closeConnections) response.shouldKeepAlive = false
      listener(request, response)
    }
  }

  /**
   * Sends `Connection: close` with each reply from now on. Otherwise, clients would send further requests on connections
   * that are about to be closed.
   */
  closeConnections(): void {
    this.#closeConnections = true
    for (const response of this.#open) response.shouldKeepAlive = false
  }

  /** Resolves when all replies are sent. Does not wait for streams, which end with their connection. */
  async sent(): Promise<void> {
    for (;;) {
      const unsent = [...this.#open].filter(isAwaited)
      if (unsent.length === 0) return
      await Promise.all(unsent.map((response) => new Promise<void>((resolve) => onClose(response, resolve))))
    }
  }
}

/** A closed response has nothing left to send. A loop that waited for it would never let the event loop go on. */
const isAwaited = (response: ServerResponse): boolean =>
  !isClosed(response) && (!response.headersSent || response.writableEnded)
