import { type Signal, signal } from '@preact/signals'
import type { DeliverySummary } from '../../src/server/api/schemas/responses.ts'
import { addressOf, get } from './client.ts'

/** Milliseconds from the time when the browser gives up a stream until the page tries to open a new one. */
const reopenDelay = 5000
/** Milliseconds for which changes are collected, so that the page renders many changes together. */
const collectInterval = 200

/** Receives deliveries that are new or have changed. */
export interface Watcher {
  /**
   * Called when the stream has opened, and before each attempt to open a new stream. Earlier changes may be missing, so
   * the watcher loads its deliveries.
   */
  onReady: () => void
  /** Called with the deliveries that have changed, each in its newest state. */
  onChanges: (deliveries: readonly DeliverySummary[]) => unknown
  /** Called when changes may be missing. The watcher reloads everything. */
  onReset: () => void
}

export type Connection = 'opening' | 'live' | 'lost'

/** Follows the stream of changes until `close()`. After an interruption, the browser resumes the stream. */
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
   * Tries to open a new stream after `reopenDelay`. The browser does not try, because the answer was an error, for
   * example because too many streams are open. Another request first shows whether the session has ended. Until a
   * stream opens, `onReady` is called before each attempt, so that the page polls.
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
    }, reopenDelay)
  }

  #gather(delivery: DeliverySummary): void {
    this.#gathered.set(delivery.id, delivery)
    this.#timer ??= setTimeout(() => this.flush(), collectInterval)
  }

  /**
   * Reports the collected changes now. Call this before a request. Otherwise these older changes would be reported
   * after the response, and would replace its newer data.
   */
  flush(): void {
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
