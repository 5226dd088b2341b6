import pg from 'pg'
import type { AvailableWork } from '../../inbox/task-queue.ts'
import { type ConnectionTarget, type PostgresSettings, toPgConfig } from '../options.ts'
import { socketOf } from './connection.ts'
import type { Database } from './database.ts'

/** Milliseconds before the first reconnection, and the maximum before later ones. */
const [minReconnectDelay, maxReconnectDelay] = [100, 10_000]

const channelOf = (schema: string): string => `${schema}_due`

/**
 * Receives notifications of work that any process has made available. A pooler in transaction mode does not provide the
 * session that `listen` needs. With such a pooler, workers find the work by polling.
 */
export class Listener {
  readonly #target: ConnectionTarget
  readonly #settings: PostgresSettings
  readonly #onWork: (work: AvailableWork) => void
  #client: pg.Client | undefined
  #timer: NodeJS.Timeout | undefined
  #delay = minReconnectDelay
  #closed = false

  constructor(target: ConnectionTarget, settings: PostgresSettings, onWork: (work: AvailableWork) => void) {
    this.#target = target
    this.#settings = settings
    this.#onWork = onWork
  }

  /** Connects, and reconnects whenever the connection is lost. */
  start(): void {
    if (!this.#client && !this.#timer && !this.#closed) void this.#connect()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#client?.end().catch(() => undefined)
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({
      ...toPgConfig(this.#target),
      application_name: 'hookserver listener',
      connectionTimeoutMillis: this.#settings.connectTimeout,
      keepAlive: true,
    })
    this.#client = client
    client.on('error', () => this.#reconnect(client))
    client.on('end', () => this.#reconnect(client))
    client.on('notification', ({ payload }) => this.#onWork(payload === 'unmatched' ? 'unmatched' : 'due'))
    try {
      await client.connect()
      socketOf(client).unref() // the process may exit while this connection is idle
      await client.query(`listen "${channelOf(this.#settings.schema)}"`)
      this.#delay = minReconnectDelay
      for (const work of ['unmatched', 'due'] as const) this.#onWork(work) // notifications may have been missed
    } catch {
      this.#reconnect(client)
    }
  }

  #reconnect(client: pg.Client): void {
    if (client !== this.#client) return
    this.#client = undefined
    client.end().catch(() => undefined)
    if (this.#closed) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.start()
    }, this.#delay).unref()
    this.#delay = Math.min(2 * this.#delay, maxReconnectDelay)
  }
}

/**
 * Notifies workers that there is work. A notification is sent after the transaction that made the work available, not
 * in it, because PostgreSQL commits transactions with notifications one by one, each with an fsync of its own. If a
 * notification is lost, workers find the work by polling.
 */
export class Notifier {
  readonly #database: Database
  readonly #channel: string
  readonly #pending = new Set<AvailableWork>()
  #notifying = false

  constructor(database: Database, schema: string) {
    this.#database = database
    this.#channel = channelOf(schema)
  }

  /** Notifies workers. All work that is reported while a notification is being sent shares the next notification. */
  notify(work: AvailableWork): void {
    this.#pending.add(work)
    if (!this.#notifying) void this.#notifyAll()
  }

  async #notifyAll(): Promise<void> {
    this.#notifying = true
    while (this.#pending.size > 0) {
      const works = [...this.#pending]
      this.#pending.clear()
      await this.#database.run(notifyAll, this.#channel, works).catch(() => undefined)
    }
    this.#notifying = false
  }
}

const notifyAll = 'select pg_notify($1, work) from unnest($2::text[]) as work'
