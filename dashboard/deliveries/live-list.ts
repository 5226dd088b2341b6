import { batch, computed, type Signal, signal } from '@preact/signals'
import type { DeliverySummary, Page } from '../api/answers.ts'
import { get } from '../api/client.ts'
import { Stream } from '../api/stream.ts'
import { askedFor } from './search.ts'

/** Rows of a page, and how many new ones are counted before it is said that there are more. */
const [pageSize, mostNew] = [50, 500]
/** Milliseconds between two looks for new ones. */
const pace = 400

/**
 * A page of the list, kept up to date. Rows that are shown change in place, whatever becomes of them; new ones come in
 * at the top, or wait where somebody reads (`held`).
 */
export class LiveList {
  readonly rows: Signal<readonly DeliverySummary[]> = signal([])
  /** New ones that wait, the newest first. */
  readonly waiting: Signal<readonly DeliverySummary[]> = signal([])
  /** Where the next page begins. */
  readonly next: Signal<number | undefined> = signal(undefined)
  readonly busy = signal(true)
  /** Deliveries that were looked through for this page, while that goes on. */
  readonly looked = signal(0)
  readonly error: Signal<Error | undefined> = signal(undefined)
  /** Whether somebody reads, and must not be disturbed. */
  readonly held = signal(false)
  readonly connection: Stream['connection']
  readonly moreWait = computed(() => this.waiting.value.length >= mostNew)
  readonly #text: string
  readonly #before: number | undefined
  readonly #stream: Stream
  #loading = new AbortController()
  #loaded: Promise<void>
  #checking: ReturnType<typeof setTimeout> | undefined
  /** The newest delivery that was seen, whether it is asked for or not. */
  #newest = 0

  /** @param before Only older ones: a page further down, to which nothing new comes. */
  constructor(text: string, before: number | undefined) {
    this.#text = text
    this.#before = before
    this.#stream = new Stream({
      onReady: () => void this.#loaded.then(() => this.#refresh()),
      onChanges: (changes) => this.#apply(changes),
      onReset: () => void this.load(),
    })
    this.connection = this.#stream.connection
    this.#loaded = this.#load()
  }

  close(): void {
    this.#loading.abort()
    clearTimeout(this.#checking)
    this.#stream.close()
  }

  /** Asks for the page anew. */
  load(): Promise<void> {
    this.#loaded = this.#load()
    return this.#loaded
  }

  /** The server stops looking now and then, and is asked to go on until the page is full. */
  async #load(): Promise<void> {
    this.#loading.abort()
    const loading = new AbortController()
    this.#loading = loading
    batch(() => {
      this.busy.value = true
      this.looked.value = 0
    })
    const rows: DeliverySummary[] = []
    try {
      let next = this.#before
      do {
        const page = await this.#ask({ before: next, limit: pageSize - rows.length }, loading.signal)
        rows.push(...page.deliveries)
        next = page.next
        this.looked.value += page.scanned
      } while (next !== undefined && rows.length < pageSize)
      this.#show(rows, next)
    } catch (error) {
      if (loading.signal.aborted) return
      batch(() => {
        this.error.value = error as Error
        this.busy.value = false
      })
    }
  }

  /** Lets in what waits. */
  admit(): void {
    // Of so many the rest is found by asking again.
    if (this.moreWait.value) void this.load()
    else this.#prepend(this.waiting.value)
    this.waiting.value = []
  }

  #show(rows: readonly DeliverySummary[], next: number | undefined): void {
    batch(() => {
      this.rows.value = rows
      this.next.value = next
      this.waiting.value = []
      this.error.value = undefined
      this.busy.value = false
    })
    this.#newest = Math.max(this.#newest, rows[0]?.id ?? 0)
  }

  #ask(parameters: { before?: number | undefined; limit: number }, signal: AbortSignal): Promise<Page> {
    return get<Page>('deliveries', { ...askedFor(this.#text, Date.now()), ...parameters }, signal)
  }

  #apply(changes: readonly DeliverySummary[]): void {
    this.#update(changes)
    const known = new Set([...this.rows.value, ...this.waiting.value].map(({ id }) => id))
    const oldest = this.rows.value.at(-1)?.id ?? 0
    // One that begins to fit what is searched for may be older than the newest.
    const mayFit = (id: number) => id > this.#newest || (this.#text !== '' && id > oldest)
    const concerns = changes.some(({ id }) => !known.has(id) && mayFit(id))
    if (concerns && this.#before === undefined) this.#checking ??= setTimeout(() => void this.#refresh(), pace)
  }

  /** Shows those that are shown as they are now. */
  #update(deliveries: readonly DeliverySummary[]): void {
    const byId = new Map(deliveries.map((one) => [one.id, one]))
    const updated = (rows: readonly DeliverySummary[]) =>
      rows.some(({ id }) => byId.has(id)) ? rows.map((row) => byId.get(row.id) ?? row) : rows
    batch(() => {
      this.rows.value = updated(this.rows.value)
      this.waiting.value = updated(this.waiting.value)
    })
  }

  /** Looks for what is new: the server knows best what fits the search. */
  async #refresh(): Promise<void> {
    try {
      const limit = this.held.value ? mostNew : pageSize
      const { deliveries } = await this.#ask({ before: this.#before, limit }, this.#loading.signal)
      this.#update(deliveries)
      if (this.#before !== undefined) return
      const top = this.rows.value[0]?.id ?? 0
      const fresh = deliveries.filter(({ id }) => id > top)
      this.#newest = Math.max(this.#newest, deliveries[0]?.id ?? 0)
      if (this.held.value) this.waiting.value = fresh
      else this.#prepend(fresh)
    } catch {
      // What is wrong, the connection tells; the next change has it looked for again.
    } finally {
      this.#checking = undefined
    }
  }

  /** The page keeps its length; what falls off its end is where the next one begins. */
  #prepend(fresh: readonly DeliverySummary[]): void {
    if (fresh.length === 0) return
    const all = [...fresh, ...this.rows.value]
    batch(() => {
      this.rows.value = all.slice(0, pageSize)
      if (all.length > pageSize) this.next.value = all[pageSize - 1]?.id
    })
  }
}
