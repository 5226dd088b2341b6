import type { Registration } from '../../handler.ts'
import type { ClaimedTask, Inbox, Match, MatchOffer, StoredDelivery } from '../inbox.ts'
import { estimateParsedSize } from '../parsed-size.ts'
import type { RunningTask } from './attempt.ts'
import type { PayloadMemory, Slots } from './concurrency.ts'
import { fitsHeap, type MatchedDelivery, matchDelivery, unreadableDelivery } from './match-delivery.ts'
import type { WorkerHost } from './worker-host.ts'

/** Bytes of the bodies that are read at a time; the first delivery is read whatever its size. */
export const batchBytes: number = 32 * 1024 * 1024
/** Bytes of memory that the parsed payloads of a batch may take; the first delivery is parsed whatever its size. */
const batchCost = 64 * 1024 * 1024

/** Bytes of memory of a payload from which an attempt to parse it is counted in the store first. */
const countedCost = 32 * 1024 * 1024

/** The smallest share of a batch: a single delivery. */
const minShare = 1 / 1024

/** Attempts to parse a payload: a payload that has ended the process this often is not parsed again. */
export const maxMatchAttempts = 3

/** Matches deliveries of an inbox with the handlers of a process. */
export class Matcher {
  readonly #inbox: Inbox
  readonly #host: WorkerHost
  readonly #slots: Slots
  readonly #memory: PayloadMemory
  /** The share of a full batch that is matched. It shrinks after a failure, which may be a timeout of the store. */
  #share = 1

  constructor(inbox: Inbox, host: WorkerHost, { slots, memory }: { slots: Slots; memory: PayloadMemory }) {
    this.#inbox = inbox
    this.#host = host
    this.#slots = slots
    this.#memory = memory
  }

  /**
   * @returns how many deliveries were matched; the tasks that the store has claimed, which hold slots; the deliveries
   * whose payload cannot be read; and whether other tasks of the deliveries may be due.
   */
  async match(
    worker: number,
    offer: Omit<MatchOffer, 'bytes'>,
  ): Promise<{ matched: number; tasks: RunningTask[]; unreadable: MatchedDelivery[]; mayBeDue: boolean }> {
    let batch: MatchedDelivery[] = []
    const decide = async (offered: readonly StoredDelivery[]): Promise<Match[]> => {
      this.#releaseSlots(batch, []) // of an earlier call, whose matches the store could not record
      batch = []
      await this.#addMatches(offered, batch)
      return batch.map(({ match }) => match)
    }
    let claimed: readonly ClaimedTask[] = []
    let mayBeDue = false
    let matched: number
    try {
      const limit = Math.max(1, Math.floor(offer.limit * this.#share))
      const result = await this.#inbox.match(worker, { ...offer, limit, bytes: batchBytes * this.#share }, decide)
      this.#share = Math.min(1, 2 * this.#share)
      ;({ matched, claimed } = result)
    } catch (error) {
      this.#share = Math.max(minShare, this.#share / 4)
      throw error
    } finally {
      mayBeDue = this.#releaseSlots(batch, claimed)
    }
    const unreadable = batch.filter(({ match }) => match.invalid !== undefined)
    return { matched, tasks: toRunningTasks(worker, batch, claimed), unreadable, mayBeDue }
  }

  /** Matches deliveries in their order, while there is memory for them; the others are offered again. */
  async #addMatches(offered: readonly StoredDelivery[], batch: MatchedDelivery[]): Promise<void> {
    let total = 0
    for (const stored of offered) {
      const cost = estimateParsedSize(stored.body, stored.form)
      if (batch.length > 0 && total + cost > batchCost * this.#share) return
      batch.push(await this.#matchOne(stored, cost, total))
      total += cost
    }
  }

  /**
   * A payload that takes much memory may end the process. So the attempt to parse it is counted first, and the count is
   * reset once it is parsed: the count is that of the processes that the payload has ended.
   * @param batchTotal Bytes of memory that the payloads before it in the batch take.
   */
  async #matchOne(stored: StoredDelivery, cost: number, batchTotal: number): Promise<MatchedDelivery> {
    const { id } = stored
    const isCounted = cost >= countedCost && fitsHeap(cost)
    if (isCounted && (await this.#inbox.countMatchAttempt(id)) > maxMatchAttempts) {
      return unreadableDelivery(stored, cost, `Parsing the payload has ended the process ${maxMatchAttempts} times`)
    }
    const hasMemory = this.#memory.hasRoom(cost, batchTotal)
    const matched = matchDelivery(stored, { host: this.#host, slots: this.#slots, cost, hasMemory })
    if (isCounted) await this.#inbox.forgetMatchAttempts(id)
    return matched
  }

  /** Releases the slots of tasks that the store has not claimed. @returns whether there are tasks that it has not claimed. */
  #releaseSlots(batch: readonly MatchedDelivery[], claimed: readonly ClaimedTask[]): boolean {
    const names = new Set(claimed.map(({ id, handler }) => `${id} ${handler}`))
    let hasUnclaimed = false
    for (const { match } of batch) {
      for (const { handler, claim } of match.tasks) {
        if (names.has(`${match.id} ${handler}`)) continue
        hasUnclaimed = true
        if (claim) this.#slots.release(handler)
      }
    }
    return hasUnclaimed
  }
}

/** In the order of the batch, which is that of receipt. */
function toRunningTasks(
  worker: number,
  batch: readonly MatchedDelivery[],
  claimed: readonly ClaimedTask[],
): RunningTask[] {
  const byDelivery = Map.groupBy(claimed, ({ id }) => id)
  const chainStart = performance.now()
  return batch.flatMap(({ match, stored, data, cost, registrations }) => {
    return (byDelivery.get(match.id) ?? []).map((task): RunningTask => {
      const registration = registrations.find(({ name }) => name === task.handler) as Registration
      return { ...task, worker, registration, stored, data, cost, chainStart }
    })
  })
}
