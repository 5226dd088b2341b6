/**
 * The connections of simulated processes to a real PostgreSQL. A `Link` takes the place of the socket of a `pg` client:
 * the simulation decides when the messages of the client reach the server, and when the answers reach the client.
 */
import { EventEmitter } from 'node:events'
import type { Backend, Backends } from './postgres-backends.ts'
import type { Random } from './random.ts'
import type { Calls, Fate, SentAnswer, SentCall } from './store.ts'
import type { VirtualProcess } from './virtual-time.ts'

/** Virtual milliseconds after which the server ends a session that idles in a transaction, as the store asks for. */
const maxIdleTime = 5000

/** The shortest and the longest virtual time that a statement waits for a lock. */
const [minLockWait, maxLockWait] = [4000, 30_000]

/** Messages of the client, up to a `Sync` or a `Query`. */
interface Request {
  readonly bytes: Buffer
  /** The statement, for the trace. */
  readonly sql: string
  readonly isStartup: boolean
}

/** The resources of all links. */
export interface Network {
  readonly backends: Backends
  readonly random: Random
  /** The time that `now()` returns in the database. */
  now(): number
  /** Statements that the simulation adds to those with which the store sets up a session. */
  readonly sessionSettings: string
  /** A session has executed statements. @param hasCommitted Whether they may have changed deliveries or tasks. */
  executed(link: Link, hasCommitted: boolean): Promise<void>
  /** Reports that the server has interrupted a session of a process. */
  note(process: VirtualProcess, what: string): void
  /** The link is closed, and the server does not know it yet. */
  closed(link: Link): void
}

/** The network between a process and the server. */
export class ProcessNetwork {
  readonly process: VirtualProcess
  readonly links: Link[] = []
  /** Nothing gets through before this time. */
  stalledUntil = 0

  constructor(process: VirtualProcess) {
    this.process = process
  }

  get isStalled(): boolean {
    return this.process.time.now < this.stalledUntil
  }
}

const none: readonly never[] = []

/** One connection. For `pg`, it is a socket; for the simulation, a queue of calls. */
export class Link extends EventEmitter implements Calls {
  writable = true
  readonly own: ProcessNetwork
  readonly #network: Network
  readonly #requests: Request[] = []
  readonly #answers: Buffer[] = []
  /** The names of prepared statements. */
  readonly #statements = new Map<string, string>()
  #unsent: Buffer = Buffer.alloc(0)
  #hasStarted = false
  #backend: Backend | undefined
  #isExecuting = false
  #isListening = false
  #answer: Promise<unknown> = Promise.resolve()
  /** When the server began to wait for the next statement, or for a lock. */
  #waitsSince = 0
  #maxLockWait = 0
  /** Answers are late: they arrive at this time. */
  #lateUntil = 0
  /** Whether the statements since the last commit may have changed deliveries or tasks. */
  #hasChanges = false
  #hasEnded = false
  #broken: Error | undefined

  constructor(own: ProcessNetwork, network: Network) {
    super()
    this.own = own
    this.#network = network
    own.links.push(this)
  }

  // For the simulation.

  get waiting(): readonly unknown[] {
    return this.#isExecuting ? [this.#answer] : this.#requests
  }

  get nextCalls(): readonly Pick<SentCall, 'method'>[] {
    const [first] = this.#requests
    return first && !this.#isExecuting && !this.#broken && !this.own.isStalled
      ? [{ method: writesOf(first.sql) }]
      : none
  }

  get answers(): readonly SentAnswer[] {
    return this.#broken || this.#answers.length > 0 ? [{ at: this.#answerAt, deliver: () => this.deliver() }] : none
  }

  get nextAnswers(): readonly SentAnswer[] {
    return this.answers
  }

  /** Executes the next requests of the client. */
  async carryOut(_call: unknown, fate: Fate, answerAt: number): Promise<void> {
    const requests = this.#takeRequests()
    if (fate === 'fails') {
      this.#requests.length = 0 // what follows does not arrive either
      this.break()
      return
    }
    this.#lateUntil = Math.max(this.#lateUntil, answerAt)
    const answer = this.#execute(requests)
    this.#answer = answer
    void answer.then((bytes) => (fate === 'is lost' ? this.break() : this.#answers.push(bytes)))
    if (this.#backend === undefined) await answer
    else await this.settle()
  }

  /** Gives the client some answers, or tells it that the connection is broken. */
  deliver(): void {
    if (this.#broken) {
      this.#end(this.#broken)
      return
    }
    const count = this.#network.random.between(1, this.#answers.length)
    this.emit('data', Buffer.concat(this.#answers.splice(0, count)))
  }

  // For `PostgresStore`.

  /** Breaks the connection. The client notices it later. */
  break(): void {
    if (this.#broken || this.#hasEnded) return
    this.#broken = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
    this.#network.closed(this)
  }

  /** The process has ended. */
  abandon(): void {
    if (!this.#broken && !this.#hasEnded) this.#network.closed(this)
    this.#hasEnded = true
  }

  /** Hands a notification to the client, if it listens. */
  notify(message: Buffer): void {
    if (this.#isListening && !this.#broken) this.#answers.push(message)
  }

  takeNotifications(): readonly Buffer[] {
    return this.#backend?.takeNotifications() ?? none
  }

  /** Waits until the server has executed the requests, or until they wait for a lock. */
  async settle(): Promise<void> {
    if (!this.#isExecuting) return
    const backend = this.#backend
    // A session that starts has no backend yet, and waits for no lock.
    if (!backend || (await this.#network.backends.settle(backend, this.#answer))) await this.#answer
  }

  /** Limits how long a statement waits for a lock, and how long a transaction idles. */
  async enforceTimeouts(): Promise<void> {
    const backend = this.#backend
    if (!backend) return
    const waited = this.own.process.time.now - this.#waitsSince
    if (this.#isExecuting && waited > this.#maxLockWait) {
      this.#network.note(this.own.process, 'the server cancels a statement that waits for a lock')
      await this.#network.backends.cancel(backend)
      await this.#answer
    } else if (!this.#isExecuting && backend.status !== 'I' && this.nextCalls.length === 0 && waited > maxIdleTime) {
      this.#network.note(this.own.process, 'the server ends a session that idles in a transaction')
      this.break()
      await this.endSession()
    }
  }

  /**
   * The server learns that the connection is closed, and ends the session. It may have received earlier messages of the
   * client. @returns whether the session has ended.
   */
  async closeSession(): Promise<boolean> {
    if (this.#isExecuting || this.own.isStalled) return false
    if (this.#requests.length > 0 && this.#backend && this.#network.random.chance(0.5)) {
      this.#answer = this.#execute(this.#takeRequests())
      await this.settle()
      return false
    }
    await this.endSession()
    return true
  }

  /** Ends the session at once, and cancels its statement if there is one. */
  async endSession(): Promise<void> {
    this.#requests.length = 0
    if (this.#isExecuting) {
      if (this.#backend) await this.#network.backends.cancel(this.#backend)
      await this.#answer
    }
    const backend = this.#backend
    this.#backend = undefined
    if (!backend) return
    await this.#network.backends.giveBack(backend)
    await this.#network.executed(this, false)
  }

  // For `pg`.

  connect(): void {
    process.nextTick(() => this.emit('connect'))
  }

  write(bytes: Uint8Array, done?: () => void): boolean {
    this.#unsent = Buffer.concat([this.#unsent, bytes])
    this.#split()
    if (done) process.nextTick(done)
    return true
  }

  end(): void {
    if (!this.#hasEnded) this.#end()
  }

  destroy(error?: Error): void {
    if (!this.#hasEnded) this.#end(error)
  }

  setNoDelay(): void {}
  setKeepAlive(): void {}
  ref(): void {}
  unref(): void {}

  /** `write` need not delay bytes: they reach the server in a later step of the simulation. */
  readonly writableCorked = 0
  cork(): void {}
  uncork(): void {}

  /** When the client gets the next answer, or learns that the connection is broken. */
  get #answerAt(): number {
    return this.#broken ? 0 : Math.max(this.#lateUntil, this.own.stalledUntil)
  }

  #end(error?: Error): void {
    this.#hasEnded = true
    this.writable = false
    this.#answers.length = 0
    this.own.links.splice(this.own.links.indexOf(this), 1)
    if (!this.#broken) this.#network.closed(this)
    process.nextTick(() => {
      if (error) this.emit('error', error)
      this.emit('close')
    })
  }

  /** Splits the bytes of the client into requests. */
  #split(): void {
    let [begin, offset, sql] = [0, 0, '']
    const data = this.#unsent
    while (offset + 5 <= data.length) {
      const type = this.#hasStarted ? String.fromCharCode(data[offset] as number) : 'startup'
      const size = this.#hasStarted ? 1 + data.readInt32BE(offset + 1) : data.readInt32BE(offset)
      if (offset + size > data.length) break
      const message = data.subarray(offset, offset + size)
      offset += size
      sql = this.#statementOf(type, message) ?? sql
      if (type === 'X') begin = offset
      if (type !== 'S' && type !== 'Q' && type !== 'startup') continue
      this.#requests.push({ bytes: data.subarray(begin, offset), sql, isStartup: type === 'startup' })
      this.#hasStarted = true
      begin = offset
    }
    this.#unsent = data.subarray(begin)
  }

  #statementOf(type: string, message: Buffer): string | undefined {
    if (type === 'startup') return 'connect'
    if (type === 'Q') return textAt(message, 5)
    if (type === 'P') {
      const name = textAt(message, 5)
      const sql = textAt(message, 6 + Buffer.byteLength(name))
      this.#statements.set(name, sql)
      return sql
    }
    if (type === 'B') return this.#statements.get(textAt(message, 6 + Buffer.byteLength(textAt(message, 5))))
    return undefined
  }

  /** Takes the requests that reach the server together. */
  #takeRequests(): Request[] {
    const taken = [this.#requests.shift() as Request]
    if (taken[0]?.isStartup) return taken
    while (this.#requests.length > 0 && this.#network.random.chance(0.9)) taken.push(this.#requests.shift() as Request)
    return taken
  }

  async #execute(requests: readonly Request[]): Promise<Buffer> {
    const { backends } = this.#network
    let hasCommitted = false
    this.#isExecuting = true
    try {
      if (requests[0]?.isStartup) {
        this.#backend = await backends.take()
        return greeting(this.#backend.pid)
      }
      const backend = this.#backend as Backend
      this.#waitsSince = this.own.process.time.now
      this.#maxLockWait = this.#network.random.between(minLockWait, maxLockWait)
      const bytes = Buffer.concat(requests.map((request) => request.bytes))
      const before = `set simulation.now to ${this.#network.now()}`
      const isNew = requests.some(({ sql }) => sql.trimStart().startsWith('set search_path'))
      const around = isNew ? { before, after: this.#network.sessionSettings } : { before }
      const reply = await backend.send(bytes, requests.length, around)
      this.#hasChanges ||= requests.some(({ sql }) => changesTasks.test(sql))
      hasCommitted = this.#hasChanges && reply.status === 'I'
      if (hasCommitted) this.#hasChanges = false
      if (requests.some(({ sql }) => sql.startsWith('listen'))) this.#isListening = true
      return reply.bytes
    } finally {
      this.#isExecuting = false
      this.#waitsSince = this.own.process.time.now
      await this.#network.executed(this, hasCommitted)
    }
  }
}

/** Whether a statement may change deliveries or tasks. */
const changesTasks = /\b(insert into|update|delete from)\s+(deliveries|tasks)\b/

/** The changes of a statement, for the trace. */
function writesOf(sql: string): string {
  if (sql === 'commit') return sql
  return [...new Set(sql.match(/\b(insert into|update|delete from) [\w."]+/gi))].join(', ') || 'a read'
}

/** A text that ends with a zero byte. */
const textAt = (message: Buffer, offset: number): string => message.toString('utf8', offset, message.indexOf(0, offset))

/** The answer to a client that connects: it is authenticated, its process id, and `ReadyForQuery`. */
function greeting(pid: number): Buffer {
  const bytes = Buffer.alloc(28)
  bytes.write('R')
  bytes.writeInt32BE(8, 1)
  bytes.write('K', 9)
  bytes.writeInt32BE(12, 10)
  bytes.writeInt32BE(pid, 14)
  bytes.write('Z', 22)
  bytes.writeInt32BE(5, 23)
  bytes.write('I', 27)
  return bytes
}
