import { type Signal, signal } from '@preact/signals'
import type { DeliverySummary } from '../../src/server/api/schemas/responses.ts'
import { addressOf, get } from './client.ts'

/** Milliseconds between two tries to open a stream that the browser has given up. */
const patience = 5000
/** Milliseconds for which changes are gathered, so that many at once are one change of the page. */
const gathering = 200

/** Whoever wants to know of deliveries that are new or have changed. */
export interface Watcher {
  /** From now on nothing is missed; what changed before that may have been. */
  onReady: () => void
  /** Each as it is now, the oldest first. */
  onChanges: (deliveries: readonly DeliverySummary[]) => unknown
  /** Something may have been missed: all of it is to be looked at anew. */
  onReset: () => void
}

export type Connection = 'opening' | 'live' | 'lost'

/** Follows the stream of changes until it is closed. Over an interruption the browser goes on where it was. */
export class Stream {
  readonly connection: Signal<Connection> = signal('opening')
  readonly #watcher: Watcher
  #source: EventSource | undefined
  #gathered = new Map<number, DeliverySummary>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #again: ReturnType<typeof setTimeout> | undefined
  #closed = false

  constructor(watcher: Watcher) {
    this.#watcher = watcher
    this.#open()
  }

  close(): void {
    this.#closed = true
    this.#forget()
    clearTimeout(this.#again)
    this.#source?.close()
  }

  #open(isAgain = false): void {
    const source = new EventSource(addressOf('stream'))
    this.#source = source
    source.addEventListener('open', () => {
      this.connection.value = 'live'
      if (isAgain) this.#watcher.onReset()
      isAgain = false
    })
    source.addEventListener('error', () => {
      this.connection.value = 'lost'
      if (source.readyState === EventSource.CLOSED) this.#openLater()
    })
    source.addEventListener('ready', () => this.#watcher.onReady())
    source.addEventListener('delivery', ({ data }) => this.#gather(JSON.parse(data)))
    source.addEventListener('reset', () => this.#watcher.onReset())
  }

  /**
   * The browser gives up where the answer is an error: too many streams may be open. Whether the session is over, any
   * other request tells; until a stream can be had again, what is new is asked for now and then.
   */
  #openLater(): void {
    this.#again = setTimeout(() => {
      get('session').then(
        () => {
          if (this.#closed) return
          this.#watcher.onReady()
          this.#open(true)
        },
        () => this.#closed || this.#openLater(),
      )
    }, patience)
  }

  #gather(delivery: DeliverySummary): void {
    this.#gathered.set(delivery.id, delivery)
    this.#timer ??= setTimeout(() => this.tell(), gathering)
  }

  /** Tells at once what has been gathered: whoever asks the server meanwhile must know what came before the answer. */
  tell(): void {
    const changes = [...this.#gathered.values()]
    this.#forget()
    if (changes.length > 0) this.#watcher.onChanges(changes)
  }

  #forget(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#gathered = new Map()
  }
}
