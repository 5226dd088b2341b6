/**
 * Sessions of a real PostgreSQL. The connections of the simulated processes use them one after the other, because a new
 * session takes as long as dozens of statements.
 */
import type { Socket } from 'node:net'
import pg from 'pg'

// Taken before the simulation replaces them.
const { Client } = pg
const { setTimeout } = globalThis

/** Real milliseconds after which the lock table says whether a statement waits for a lock. */
const lockCheckDelay = 10

/** The messages of a session, up to a `ReadyForQuery`. */
interface Reply {
  readonly bytes: Buffer
  /** Whether the session is idle, in a transaction, or in a failed transaction. */
  readonly status: 'I' | 'T' | 'E'
}

interface Running {
  /** The number of `ReadyForQuery` messages that are still missing. */
  missing: number
  received: Buffer[]
  /** Whether the answer to a statement of the simulation is still missing, which comes first. */
  hasPrelude: boolean
  /** Whether the answer to a statement of the simulation comes last. */
  hasEpilogue: boolean
  resolve(reply: Reply): void
}

/** One session. It executes one request at a time. */
export class Backend {
  readonly pid: number
  status: Reply['status'] = 'I'
  /** The notifications that the statements of this session have sent since the last call of `takeNotifications`. */
  #notifications: Buffer[] = []
  readonly #socket: Socket
  #running: Running | undefined
  #rest: Buffer = Buffer.alloc(0)

  private constructor(pid: number, socket: Socket) {
    this.pid = pid
    this.#socket = socket
    socket.removeAllListeners('data')
    socket.on('data', (bytes) => this.#receive(bytes))
  }

  static async connect(url: string): Promise<Backend> {
    const client = new Client({ connectionString: url })
    client.on('error', () => undefined)
    await client.connect()
    const { processID, connection } = client as unknown as { processID: number; connection: { stream: Socket } }
    return new Backend(processID, connection.stream)
  }

  /** Whether a request is being executed. */
  get isBusy(): boolean {
    return this.#running !== undefined
  }

  /**
   * @param requests The number of `Sync` and `Query` messages. Each of them gets a `ReadyForQuery`.
   * @param around Statements that are executed before and after them. The reply does not contain the answers of these.
   */
  send(bytes: Buffer, requests: number, { before, after }: { before?: string; after?: string } = {}): Promise<Reply> {
    const { promise, resolve } = Promise.withResolvers<Reply>()
    const [hasPrelude, hasEpilogue] = [before !== undefined, after !== undefined]
    this.#running = { missing: requests, received: [], hasPrelude, hasEpilogue, resolve }
    const statements = [before, after].map((sql) => (sql === undefined ? Buffer.alloc(0) : queryMessage(sql)))
    this.#socket.write(Buffer.concat([statements[0] as Buffer, bytes, statements[1] as Buffer]))
    return promise
  }

  takeNotifications(): readonly Buffer[] {
    const taken = this.#notifications
    this.#notifications = []
    return taken
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(bytes: Buffer): void {
    const data = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes
    let offset = 0
    while (offset + 5 <= data.length) {
      const end = offset + 1 + data.readInt32BE(offset + 1)
      if (end > data.length) break
      this.#receiveMessage(data.subarray(offset, end))
      offset = end
    }
    this.#rest = data.subarray(offset)
  }

  #receiveMessage(message: Buffer): void {
    const running = this.#running
    const type = String.fromCharCode(message[0] as number)
    if (type === 'A') {
      // Every session listens. Those of others arrive at any time, so `PostgresStore` distributes the own ones instead.
      if (message.readInt32BE(5) === this.pid) this.#notifications.push(message)
      return
    }
    if (!running?.hasEpilogue || running.missing > 0) running?.received.push(message)
    if (type !== 'Z' || !running) return
    this.status = String.fromCharCode(message[5] as number) as Reply['status']
    if (running.hasPrelude) {
      running.hasPrelude = false
      running.received = []
      return
    }
    if (--running.missing > (running.hasEpilogue ? -1 : 0)) return
    this.#running = undefined
    running.resolve({ bytes: Buffer.concat(running.received), status: this.status })
  }
}

/** The server, with a connection of its own for questions about the sessions. */
export class Backends {
  readonly control: pg.Client
  readonly #url: string
  readonly #channel: string
  readonly #idle: Backend[] = []
  readonly #all: Backend[] = []

  private constructor(url: string, control: pg.Client, channel: string) {
    this.#url = url
    this.control = control
    this.#channel = channel
  }

  /** @param channel The channel to which every session listens. */
  static async open(url: string, channel: string): Promise<Backends> {
    const control = new Client({ connectionString: url, pipeline: true } as pg.ClientConfig)
    await control.connect()
    return new Backends(url, control, channel)
  }

  async take(): Promise<Backend> {
    const idle = this.#idle.pop()
    if (idle) return idle
    const backend = await Backend.connect(this.#url)
    this.#all.push(backend)
    await this.#reset(backend)
    return backend
  }

  /** Ends the session of a connection: rolls its transaction back, and forgets its settings. */
  async giveBack(backend: Backend): Promise<void> {
    await this.#reset(backend)
    this.#idle.push(backend)
  }

  /**
   * Waits until a request is answered, or until it waits for a lock that another session holds.
   * @returns whether it is answered.
   */
  async settle(backend: Backend, answer: Promise<unknown>): Promise<boolean> {
    for (;;) {
      if (await isSettledWithin(lockCheckDelay, answer)) return true
      const { rows } = await this.control.query({ ...selectBlockers, values: [backend.pid] })
      if (rows[0].blocked && backend.isBusy) return false
    }
  }

  /** Cancels the statement of a session, as `statement_timeout` and `lock_timeout` do. */
  async cancel(backend: Backend): Promise<void> {
    await this.control.query('select pg_cancel_backend($1)', [backend.pid])
  }

  async close(): Promise<void> {
    for (const backend of this.#all) backend.close()
    await this.control.end()
  }

  async #reset(backend: Backend): Promise<void> {
    const statements = ['rollback', 'discard all', `listen "${this.#channel}"`]
    await backend.send(Buffer.concat(statements.map(queryMessage)), statements.length)
    backend.takeNotifications()
  }
}

/** A message of the simple protocol. */
export function queryMessage(sql: string): Buffer {
  const message = Buffer.alloc(6 + Buffer.byteLength(sql))
  message.write('Q')
  message.writeInt32BE(message.length - 1, 1)
  message.write(sql, 5)
  return message
}

function isSettledWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms)
    void work.then(() => {
      clearTimeout(timer)
      resolve(true)
    })
  })
}

const selectBlockers = { name: 'blocked', text: 'select cardinality(pg_blocking_pids($1)) > 0 as blocked' }
