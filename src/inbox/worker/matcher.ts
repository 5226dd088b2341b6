import type { ClaimedTask, Inbox, Match, StoredDelivery } from '../inbox.ts'
import { estimateParsedSize } from '../parsed-size.ts'
import type { Slots } from './concurrency.ts'
import { fitsHeap, type MatchedDelivery, matchDelivery, unreadableDelivery } from './match-delivery.ts'
import type { PayloadMemory } from './payload-memory.ts'
import type { WorkerHost } from './worker-host.ts'

/** Bytes of bodies that are read at a time, and of memory that their payloads may take; one delivery is always taken. */
export const batchBytes: number = 32 * 1024 * 1024
const batchCost = 64 * 1024 * 1024

/** Bytes of memory from which on an attempt to parse a payload is counted before it is made. */
const countedCost = 32 * 1024 * 1024

/** The smallest share of a batch: a single delivery. */
const minShare = 1 / 1024

/** Attempts to parse a payload: one that has ended the process so often is not parsed again. */
export const maxMatchAttempts = 3

/** A delivery that was matched, and the tasks of it that have claimed. */
export interface ClaimableDelivery extends MatchedDelivery {
  cost: number
  claimed: ClaimedTask[]
}

/** Matches deliveries of an inbox with the handlers of a process. */
export class Matcher {
  readonly #inbox: Inbox
  readonly #host: WorkerHost
  readonly #slots: Slots
  readonly #memory: PayloadMemory
  /** The share of a full batch that is matched: less after a failure, as planning may have taken the store too long. */
  #share = 1

  constructor(inbox: Inbox, host: WorkerHost, { slots, memory }: { slots: Slots; memory: PayloadMemory }) {
    this.#inbox = inbox
    this.#host = host
    this.#slots = slots
    this.#memory = memory
  }

  /**
   * @param ordered Whether a handler may have an order.
   * @returns the planned deliveries with their begun tasks, which have slots, and whether other tasks of them are due.
   */
  async match(
    worker: number,
    offer: { limit: number; ordered: boolean; now: number },
  ): Promise<{ matched: number; deliveries: ClaimableDelivery[]; mayBeDue: boolean }> {
    let planned: Batch = []
    const plan = async (offered: readonly StoredDelivery[]): Promise<Match[]> => {
      this.#giveBackSlots(planned, new Set()) // of a call before, whose plans the store could not record
      planned = []
      await this.#plan(offered, planned)
      return planned.map((one) => one.match)
    }
    const claimed = new Map<number, ClaimedTask[]>()
    let [matched, mayBeDue] = [0, false]
    try {
      const limit = Math.max(1, Math.floor(offer.limit * this.#share))
      const result = await this.#inbox.match(worker, { ...offer, limit, bytes: batchBytes * this.#share }, plan)
      this.#share = Math.min(1, 2 * this.#share)
      matched = result.matched
      for (const task of result.claimed) claimed.set(task.id, [...(claimed.get(task.id) ?? []), task])
    } catch (error) {
      this.#share = Math.max(minShare, this.#share / 4)
      throw error
    } finally {
      mayBeDue = this.#giveBackSlots(planned, new Set([...claimed.values()].flat().map(nameOf)))
    }
    const deliveries = planned.map((one) => ({ ...one, claimed: claimed.get(one.match.id) ?? [] }))
    return { matched, deliveries, mayBeDue }
  }

  /** Plans deliveries in their order, while there is memory for them; those that are left out are offered again. */
  async #plan(offered: readonly StoredDelivery[], planned: Batch): Promise<void> {
    let total = 0
    for (const delivery of offered) {
      const cost = estimateParsedSize(delivery.body, delivery.form)
      if (planned.length > 0 && total + cost > batchCost * this.#share) return
      const one = await this.#planOne(delivery, cost, total)
      total += cost
      planned.push({ ...one, cost })
    }
  }

  /**
   * A payload that takes much memory may end the process. So the attempt is counted first, and forgotten once the payload
   * is parsed: the count is that of the processes that it has ended.
   */
  async #planOne(delivery: StoredDelivery, cost: number, batch: number): Promise<MatchedDelivery> {
    const { id } = delivery
    const isCounted = cost >= countedCost && fitsHeap(cost)
    if (isCounted && (await this.#inbox.countMatchAttempt(id)) > maxMatchAttempts) {
      return unreadableDelivery(delivery, `Parsing the payload has ended the process ${maxMatchAttempts} times`)
    }
    const mayBegin = this.#memory.hasRoom(cost, batch)
    const planned = matchDelivery(delivery, this.#host, this.#slots, cost, mayBegin)
    if (isCounted) await this.#inbox.forgetMatchAttempts(id)
    return planned
  }

  /** Gives back the slots of tasks that did not begin. @returns whether there are such tasks. */
  #giveBackSlots(planned: Batch, claimed: ReadonlySet<string>): boolean {
    let left = false
    for (const { match: plan } of planned) {
      for (const { handler, claim: begin } of plan.tasks) {
        if (claimed.has(nameOf({ id: plan.id, handler }))) continue
        left = true
        if (begin) this.#slots.release(handler)
      }
    }
    return left
  }
}

type Batch = (MatchedDelivery & { cost: number })[]

const nameOf = ({ id, handler }: { id: number; handler: string }): string => `${id} ${handler}`
