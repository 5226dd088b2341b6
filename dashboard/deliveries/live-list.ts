import { batch, type Signal, signal } from '@preact/signals'
import { Mutex } from '../../src/runtime/mutex.ts'
import type { DeliverySummary, Page } from '../../src/server/api/schemas/responses.ts'
import { get, serverTime } from '../api/client.ts'
import { Stream, type Watcher } from '../api/stream.ts'
import { updateCountsSoon } from '../shell/inbox-counts.ts'
import { utc } from '../ui/preferences.ts'
import { serverSearchOf } from './search.ts'

/** Rows per page, and the maximum number of new rows to count. */
const [pageSize, maxNew] = [50, 500]
/** Milliseconds from a change until the list polls the server. */
const pace = 400
/** Maximum requests per poll. One may not be enough, because the server ends a page early if the search takes long. */
const maxAnswers = 20

/**
 * A page of the list, kept up to date. Visible rows change in place. New rows are inserted in the order of their ids,
 * or wait while the operator reads (`held`).
 */
export class LiveList {
  readonly rows: Signal<readonly DeliverySummary[]> = signal([])
  /** New rows that wait, newest first. */
  readonly waiting: Signal<readonly DeliverySummary[]> = signal([])
  /** Rows that no longer match the search, or were deleted. They stay until the list is reloaded. */
  readonly gone: Signal<ReadonlySet<number>> = signal(new Set())
  /** The next page has the deliveries with lower ids than this. `undefined` on the last page. */
  readonly next: Signal<number | undefined> = signal(undefined)
  readonly busy = signal(true)
  /** Deliveries that the server has searched since the last call of `load()`. */
  readonly looked = signal(0)
  /** An upper bound of the deliveries that the server has yet to search. */
  readonly left = signal(0)
  /** Whether the operator has stopped the search before it found enough rows. */
  readonly stopped = signal(false)
  /** Deliveries that the server has skipped since the last call of `load()`: their payloads are too large to search. */
  readonly tooLarge = signal(0)
  readonly error: Signal<Error | undefined> = signal(undefined)
  /** Whether the list must not move, because the operator is reading it. */
  readonly held = signal(false)
  readonly connection: Stream['connection']
  /** Whether more new rows wait than the list has read. */
  readonly moreWait = signal(false)
  readonly #text: string
  readonly #before: number | undefined
  readonly #through: number | undefined
  readonly #stream: Stream
  /** Watchers of the same stream, such as the delivery beside the list: a browser opens few connections. */
  readonly #watchers = new Set<Watcher>()
  /** Requests run one after the other, so that answers arrive in order. */
  readonly #mutex = new Mutex()
  #asking = new AbortController()
  /**
   * Changes from the stream since the running request was sent. The answer may be older than these changes. `undefined`
   * while no request is running.
   */
  #duringRequest: Map<number, DeliverySummary> | undefined
  #checking: ReturnType<typeof setTimeout> | undefined
  /** The lowest id of the deliveries that changed since the last poll and may begin or cease to match. */
  #changed = Number.POSITIVE_INFINITY

  /**
   * @param options.text The search.
   * @param options.before Lists only deliveries with a lower id, and gets no new rows. `undefined`: the newest
   *   deliveries.
   * @param options.through The id of a delivery that the page contains even if `pageSize` newer ones have arrived.
   */
  constructor(options: { text: string; before?: number | undefined; through?: number | undefined }) {
    this.#text = options.text
    this.#before = options.before
    this.#through = options.through
    void this.load()
    this.#stream = new Stream({
      onReady: () => {
        this.#refresh()
        for (const watcher of this.#watchers) watcher.onReady()
      },
      onChanges: (changes) => {
        this.#apply(changes)
        for (const watcher of this.#watchers) watcher.onChanges(changes)
      },
      onReset: () => {
        if (this.held.value) this.#refresh()
        else void this.load()
        for (const watcher of this.#watchers) watcher.onReset()
      },
    })
    this.connection = this.#stream.connection
  }

  /** Reports the changes of the stream until `close()` of the result is called. */
  follow(watcher: Watcher): Pick<Stream, 'connection' | 'close'> {
    this.#watchers.add(watcher)
    return { connection: this.connection, close: () => this.#watchers.delete(watcher) }
  }

  close(): void {
    this.#asking.abort()
    clearTimeout(this.#checking)
    this.#stream.close()
  }

  /** Loads the rows of this page of the list again. */
  load(): Promise<void> {
    this.#asking.abort()
    this.#asking = new AbortController()
    batch(() => {
      this.busy.value = true
      this.looked.value = 0
      this.stopped.value = false
      this.tooLarge.value = 0
    })
    return this.#ask((signal) => this.#load(signal))
  }

  /**
   * Polls for new rows, or loads the list again after an error. The browser cannot evaluate the search, so the server
   * says which deliveries match.
   */
  #refresh(): void {
    void this.#ask((signal) => (this.error.value ? this.#load(signal) : this.#look(signal)))
  }

  #ask(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.#asking
    return this.#mutex.run(async () => {
      this.#stream.flush() // changes that are older than the response
      clearTimeout(this.#checking)
      this.#checking = undefined
      const changed = new Map<number, DeliverySummary>()
      this.#duringRequest = changed
      if (!signal.aborted) await work(signal)
      this.#stream.flush() // changes that may be newer than the response
      this.#duringRequest = undefined
      this.#update([...changed.values()])
    })
  }

  /**
   * Requests pages until the list is full or there is no next page. One request may not be enough, because the server
   * ends a page early if the search takes long.
   */
  async #load(signal: AbortSignal): Promise<void> {
    const rows: DeliverySummary[] = []
    try {
      let next = this.#before
      do {
        const missing = pageSize - rows.length
        const page = await this.#page({ before: next, limit: missing > 0 ? missing : pageSize }, signal)
        rows.push(...page.deliveries)
        next = page.reached
        this.looked.value += page.scanned
        this.left.value = page.left
        this.tooLarge.value += page.tooLarge ?? 0
      } while (
        next !== undefined &&
        !this.stopped.value &&
        (rows.length < pageSize || (next > (this.#through ?? next) && rows.length < maxNew))
      )
      if (next === undefined) this.stopped.value = false // the search has ended anyway
      this.#show(rows, next)
    } catch (error) {
      if (signal.aborted) return
      batch(() => {
        this.error.value = error as Error
        this.busy.value = false
      })
    }
  }

  /** Ends the search after the running request, and shows the rows found so far. */
  stop(): void {
    this.stopped.value = true
  }

  /** Inserts the rows that wait. */
  admit(): void {
    // The rows that wait do not reach the visible ones, so the list loads the newest page.
    if (this.moreWait.value) void this.load()
    else this.#insert(this.waiting.value)
    this.waiting.value = []
  }

  #show(rows: readonly DeliverySummary[], next: number | undefined): void {
    batch(() => {
      this.rows.value = rows
      this.gone.value = new Set()
      this.next.value = next
      this.waiting.value = []
      this.moreWait.value = false
      this.error.value = undefined
      this.busy.value = false
    })
  }

  #page(parameters: { before?: number | undefined; limit: number }, signal: AbortSignal): Promise<Page> {
    return get<Page>('deliveries', { ...serverSearchOf(this.#text, serverTime(), utc.value), ...parameters }, signal)
  }

  #apply(changes: readonly DeliverySummary[]): void {
    updateCountsSoon()
    for (const one of changes) this.#duringRequest?.set(one.id, one)
    this.#update(changes)
    const known = new Set([...this.rows.value, ...this.waiting.value].map(({ id }) => id))
    const isSearch = this.#text !== ''
    // Visible rows may no longer match. A delivery between them may begin to match, or its transaction was committed after
    // those of newer deliveries.
    const mayFit = (id: number) => this.#before === undefined && id > this.#end()
    const concerned = changes.map(({ id }) => id).filter((id) => (known.has(id) ? isSearch : mayFit(id)))
    if (concerned.length === 0) return
    this.#changed = Math.min(this.#changed, ...concerned)
    this.#checking ??= setTimeout(() => this.#refresh(), pace)
  }

  /** The id of the last row: deliveries with lower ids are on the next page. 0 if this is the last page. */
  #end(): number {
    return this.next.value === undefined ? 0 : (this.rows.value.at(-1)?.id ?? 0)
  }

  /** Updates the visible rows and the rows that wait. */
  #update(deliveries: readonly DeliverySummary[]): void {
    const byId = new Map(deliveries.map((one) => [one.id, one]))
    const updated = (rows: readonly DeliverySummary[]) =>
      rows.some(({ id }) => byId.has(id)) ? rows.map((row) => byId.get(row.id) ?? row) : rows
    batch(() => {
      this.rows.value = updated(this.rows.value)
      this.waiting.value = updated(this.waiting.value)
    })
  }

  /**
   * Requests pages, newest first, until they reach the oldest change or have enough rows, until there is no next page,
   * or until `maxAnswers` requests have been sent. Then updates the rows, finds those that no longer match,
   * and adds new rows.
   */
  async #look(signal: AbortSignal): Promise<void> {
    const changed = this.#changed
    this.#changed = Number.POSITIVE_INFINITY
    const limit = this.held.value ? maxNew : Math.min(maxNew, Math.max(pageSize, this.rows.value.length))
    const found: DeliverySummary[] = []
    let next = this.#before
    try {
      for (let answers = 0; answers < maxAnswers && found.length < limit; answers++) {
        const page = await this.#page({ before: next, limit: limit - found.length }, signal)
        found.push(...page.deliveries)
        next = page.reached
        if (next === undefined || next <= changed) break
      }
    } catch {
      // Shows no error, because `connection` shows whether the server is reachable. The next change starts a poll.
      this.#changed = Math.min(this.#changed, changed)
      return
    }
    this.#update(found)
    const ids = new Set(found.map(({ id }) => id))
    const gone = this.rows.value.filter(({ id }) => id >= (next ?? 0) && !ids.has(id))
    this.gone.value = new Set(gone.map(({ id }) => id))
    if (this.#before !== undefined) return
    const newestShown = this.rows.value[0]?.id ?? 0
    /** Whether new deliveries between those found and the visible rows have not been read. */
    const hasGap = next !== undefined && next > changed && next > newestShown
    if (!this.held.value && hasGap) this.#show(found, next)
    else this.#addNew(found, hasGap)
  }

  #addNew(found: readonly DeliverySummary[], hasGap: boolean): void {
    const shown = new Set(this.rows.value.map(({ id }) => id))
    const fresh = found.filter(({ id }) => !shown.has(id) && id > this.#end())
    if (this.held.value) {
      this.moreWait.value = hasGap
      this.waiting.value = fresh
    } else this.#insert(fresh)
  }

  /** Inserts rows in order. The page keeps its length, if it is full. Rows that are cut off begin the next page. */
  #insert(fresh: readonly DeliverySummary[]): void {
    if (fresh.length === 0) return
    const all = [...fresh, ...this.rows.value].toSorted((a, b) => b.id - a.id)
    const size = Math.max(pageSize, this.rows.value.length)
    batch(() => {
      this.rows.value = all.slice(0, size)
      if (all.length > size) this.next.value = all[size - 1]?.id
    })
  }
}
