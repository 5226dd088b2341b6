import type { Database } from './database.ts'
import { channelOf } from './listener.ts'

/**
 * Says that there is something to do. Not in the transaction that made it due: PostgreSQL has transactions that notify
 * commit one after the other, each with an fsync of its own. If this is lost, whoever waits looks by itself.
 */
export class Notifier {
  readonly #database: Database
  readonly #channel: string
  #telling = false
  #again = false

  constructor(database: Database, schema: string) {
    this.#database = database
    this.#channel = channelOf(schema)
  }

  /** What is told while it is being told is told together. */
  tell(): void {
    this.#again = true
    if (this.#telling) return
    this.#telling = true
    void this.#tellAll()
  }

  async #tellAll(): Promise<void> {
    while (this.#again) {
      this.#again = false
      await this.#database.run(`select pg_notify($1, '')`, this.#channel).catch(() => undefined)
    }
    this.#telling = false
  }
}
