import type { AvailableWork } from '../inbox/inbox.ts'
import type { Database } from './database.ts'
import { channelOf } from './listener.ts'

/**
 * Notifies workers that there is work. Not in the transaction that made it: PostgreSQL has transactions that notify
 * commit one after the other, each with an fsync of its own. If a notification is lost, workers find the work by polling.
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

  /** Notifies once for all work that is reported while a notification is under way. */
  tell(work: AvailableWork): void {
    this.#pending.add(work)
    if (!this.#notifying) void this.#notifyAll()
  }

  async #notifyAll(): Promise<void> {
    this.#notifying = true
    while (this.#pending.size > 0) {
      const works = [...this.#pending]
      this.#pending.clear()
      await this.#database.run(notify, this.#channel, works).catch(() => undefined)
    }
    this.#notifying = false
  }
}

const notify = 'select pg_notify($1, work) from unnest($2::text[]) as work'
