import pg from 'pg'
import type { AvailableWork } from '../inbox/inbox.ts'
import { type ConnectionTarget, toPgConfig } from './connection-target.ts'
import type { PostgresSettings } from './options.ts'

/** Milliseconds until a connection that was lost is made again, at first and at most. */
const [soon, late] = [100, 10_000]

/** The channel on which a process says that there is something to do. */
export const channelOf = (schema: string): string => `${schema}_due`

/**
 * Hears of what other processes have made due. It needs a session of its own, which a pooler of transactions does not
 * give; without it whoever waits finds out by looking.
 */
export class Listener {
  readonly #target: ConnectionTarget
  readonly #settings: PostgresSettings
  readonly #heard: (work: AvailableWork) => void
  #client: pg.Client | undefined
  #timer: NodeJS.Timeout | undefined
  #wait = soon
  #closed = false

  constructor(target: ConnectionTarget, settings: PostgresSettings, heard: (work: AvailableWork) => void) {
    this.#target = target
    this.#settings = settings
    this.#heard = heard
  }

  /** Connects, and again whenever the connection is lost. */
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
    client.on('error', () => this.#lost(client))
    client.on('end', () => this.#lost(client))
    client.on('notification', ({ payload }) => this.#heard(payload === 'unmatched' ? 'unmatched' : 'due'))
    try {
      await client.connect()
      // pg has no other way to let the process end while this connection waits for what may come.
      ;(client as unknown as { connection: { stream: { unref(): void } } }).connection.stream.unref()
      await client.query(`listen "${channelOf(this.#settings.schema)}"`)
      this.#wait = soon
      for (const work of ['unmatched', 'due'] as const) this.#heard(work) // notifications may have been missed
    } catch {
      this.#lost(client)
    }
  }

  #lost(client: pg.Client): void {
    if (client !== this.#client) return
    this.#client = undefined
    client.end().catch(() => undefined)
    if (this.#closed) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.start()
    }, this.#wait).unref()
    this.#wait = Math.min(2 * this.#wait, late)
  }
}
