import pg from 'pg'

type Callback = (error?: Error | null) => void

/** A client whose connection stays open when its pool ends. It then waits for another pool with the same settings. */
class ReusableClient extends pg.Client {
  readonly #waiting: ReusableClient[]
  #isConnected = false

  /** @param waiting The clients that wait for a pool. */
  constructor(options: pg.ClientConfig, waiting: ReusableClient[]) {
    super(options)
    this.#waiting = waiting
  }

  override connect(): Promise<pg.Client>
  override connect(callback: Callback): void
  override connect(callback: Callback = () => {}): unknown {
    if (this.#isConnected) return process.nextTick(callback)
    return super.connect((error: Error) => {
      this.#isConnected = !error
      callback(error)
    })
  }

  override end(): Promise<void>
  override end(callback: Callback): void
  override end(callback: Callback = () => {}): unknown {
    if (this.getTransactionStatus() !== 'I') return super.end(callback) // not idle
    this.removeAllListeners()
    this.#waiting.push(this)
    return process.nextTick(callback)
  }

  disconnect(): Promise<void> {
    return super.end()
  }
}

/**
 * Lets new pools use the connections of ended pools, because a new session of PostgreSQL takes as long as dozens of
 * statements, and plans each statement anew. Connections with the same settings, and so of the same schema, are
 * interchangeable. @returns a function that closes all connections, and lets new pools open their own again.
 */
export function reuseConnections(): () => Promise<void> {
  const { Pool } = pg
  /** The clients that wait for a pool, by the statements that set up their sessions. */
  const waiting = new Map<string, ReusableClient[]>()

  class ReusingPool extends Pool {
    constructor(options: pg.PoolConfig = {}) {
      const clients = clientsOf(options)
      function takeClient(): ReusableClient {
        return clients.pop() ?? new ReusableClient(options, clients)
      }
      super({ ...options, Client: takeClient as never }) // `pg` calls this function with `new`
    }
  }

  function clientsOf({ onConnect }: pg.PoolConfig): ReusableClient[] {
    let settings = ''
    const recorder = { query: (text: string) => void (settings = text) }
    void onConnect?.(recorder as never)
    const known = waiting.get(settings) ?? []
    waiting.set(settings, known)
    return known
  }

  pg.Pool = ReusingPool
  return async () => {
    pg.Pool = Pool
    await Promise.all([...waiting.values()].flat().map((client) => client.disconnect()))
  }
}
