import { setTimeout as wait } from 'node:timers/promises'
import type { DeliveryReader } from '../../inbox/inbox.ts'
import type { Changes } from '../../inbox/records.ts'
import { getOrCreate } from '../../runtime/get-or-create.ts'

/** Milliseconds between two polls of the inbox. */
const pollInterval = 250
/** Milliseconds for which a head is used without a poll. A stream at an old head would receive many changes again. */
const maxHeadAge = 1000

/**
 * Reads the changes of an inbox for all streams of this process. Streams that have received all changes wait at the same
 * position, the head, for one poll of the inbox. A stream at another position reads its changes itself, and then moves
 * to the head. The head is older than this reading, so the stream may receive some changes twice, but misses none.
 */
export class ChangeFeed {
  readonly #inbox: Pick<DeliveryReader, 'changes'>
  readonly #reads = new Map<string, Promise<Changes>>()
  #head: string | undefined
  #headSince = 0
  /** The changes after the head, if a stream waits for them. */
  #poll: Promise<Changes> | undefined

  constructor(inbox: Pick<DeliveryReader, 'changes'>) {
    this.#inbox = inbox
  }

  /** The position of a stream that starts with the next change. */
  async start(): Promise<string> {
    return this.#currentHead() ?? this.#moveHead((await this.#inbox.changes()).position)
  }

  /** A page of the changes after a position. At the head, waits for the next poll, which may find no changes. */
  async next(position: string): Promise<Changes> {
    const head = this.#currentHead()
    if (position === head) {
      this.#poll ??= this.#pollAfter(position)
      return this.#poll
    }
    const changes = await this.#read(position)
    if (changes.more) return changes
    if (head !== undefined) return { ...changes, position: head }
    if (this.#currentHead() === undefined) this.#moveHead(changes.position)
    return changes
  }

  async #pollAfter(head: string): Promise<Changes> {
    try {
      await wait(pollInterval, undefined, { ref: false })
      const changes = await this.#read(head)
      this.#moveHead(changes.more ? undefined : changes.position)
      return changes
    } finally {
      this.#poll = undefined
    }
  }

  #currentHead(): string | undefined {
    return this.#poll || performance.now() - this.#headSince < maxHeadAge ? this.#head : undefined
  }

  #moveHead<Position extends string | undefined>(position: Position): Position {
    this.#head = position
    this.#headSince = performance.now()
    return position
  }

  /** Streams at the same position share one reading. */
  #read(position: string): Promise<Changes> {
    return getOrCreate(this.#reads, position, () => {
      return this.#inbox.changes(position).finally(() => this.#reads.delete(position))
    })
  }
}
