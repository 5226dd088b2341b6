import type { DeliveryPayload, ParsedPayload } from '../../delivery.ts'
import type { Registration } from '../../handler.ts'
import type { ClaimedTask, GoneTasks, Match, MatchedTask, MatchOffer, MatchResult, StoredDelivery } from '../inbox.ts'
import { estimateParsedSize } from '../parsed-size.ts'
import { operatorSource } from '../records.ts'
import type { RunningTask } from './attempt.ts'
import { fitsHeap, readPayload, summarizePayload } from './payload.ts'
import type { Slot } from './slots.ts'
import { fairKeyOf, orderKeyOf } from './task-keys.ts'
import type { WorkerContext } from './worker-host.ts'

/** Maximum bytes of the bodies in one batch. The worker reads the first delivery even if its body is larger. */
export const batchBytes: number = 32 * 1024 * 1024
/** Maximum bytes of the parsed payloads of a batch. The worker parses the first payload even if it needs more. */
const batchCost = 64 * 1024 * 1024

/** Bytes of memory. The store counts the attempts to parse a payload that needs at least this much memory. */
const countedCost = 32 * 1024 * 1024

/**
 * The minimum of `Matcher.#share`. The share reduces the maximum bytes and the maximum number of deliveries of a batch.
 * With this minimum, a batch has one delivery.
 */
const minShare = 1 / 1024

/** Maximum attempts to parse a payload: a payload that has ended the process this often is not parsed again. */
export const maxMatchAttempts = 3

/** A delivery, its payload and its handlers. */
export interface MatchedDelivery extends Pick<RunningTask, 'stored' | 'payload' | 'cost'> {
  match: Match
  registrations: readonly Registration[]
  /** The slots of the tasks to claim, by handler. */
  slots: ReadonlyMap<string, Slot>
}

interface MatchedBatch {
  /** The number of matched deliveries. */
  matched: number
  /** The tasks that the store has claimed. */
  tasks: RunningTask[]
  /** The tasks that ended as `gone`, because their handlers no longer match. */
  gone: readonly GoneTasks[]
  /** The deliveries whose payload cannot be read. */
  unreadable: MatchedDelivery[]
  /** Whether tasks that the store has not claimed may be due. */
  mayBeDue: boolean
}

/** Matches deliveries of an inbox with the handlers of a process. */
export class Matcher {
  readonly #context: WorkerContext
  /**
   * The fraction of a full batch that one call may match. A failure, which may be a timeout of the store, divides it by
   * 4. A success doubles it, up to 1.
   */
  #share = 1
  /** The deliveries whose payload this process has parsed, and whose count the store has failed to reset. */
  readonly #parsed = new Set<number>()

  constructor(context: WorkerContext) {
    this.#context = context
  }

  async match(worker: number, offer: Omit<MatchOffer, 'bytes'>): Promise<MatchedBatch> {
    let batch: MatchedDelivery[] = []
    let calledAt = this.#context.suspensions.callTime()
    const decide = async (offered: readonly StoredDelivery[]): Promise<Match[]> => {
      releaseSlots(batch) // of an earlier call of `decide`, whose matches the store could not record
      batch = []
      await this.#addMatches(offered, batch)
      calledAt = this.#context.suspensions.callTime()
      return batch.map(({ match }) => match)
    }
    const limit = Math.max(1, Math.floor(offer.limit * this.#share))
    let result: MatchResult
    try {
      result = await this.#context.inbox.match(worker, { ...offer, limit, bytes: batchBytes * this.#share }, decide)
    } catch (error) {
      this.#share = Math.max(minShare, this.#share / 4)
      releaseSlots(batch)
      throw error
    }
    this.#share = Math.min(1, 2 * this.#share)
    const tasks = toRunningTasks({ worker, calledAt }, batch, result.claimed)
    const running = new Set(tasks.map(({ slot }) => slot))
    releaseSlots(batch, running)
    const mayBeDue = batch.some(({ match, slots }) => {
      return match.tasks.some(({ handler }) => !running.has(slots.get(handler) as Slot))
    })
    const unreadable = batch.filter(({ match }) => result.invalid?.includes(match.id))
    return { matched: result.matched, tasks, gone: result.gone ?? [], unreadable, mayBeDue }
  }

  /** Matches deliveries in their order until the batch is full. The store offers the others again in a later call. */
  async #addMatches(offered: readonly StoredDelivery[], batch: MatchedDelivery[]): Promise<void> {
    let total = 0
    for (const stored of offered) {
      const cost = estimateParsedSize(stored.body, stored.form)
      if (batch.length > 0 && total + cost > batchCost * this.#share) return
      const matched = await this.#matchOne(stored, cost, total)
      if (!matched) continue
      batch.push(matched)
      total += cost
    }
  }

  /**
   * Matches one delivery. A payload that takes much memory may end the process. So the attempt to parse such a payload
   * is counted first, and the count is reset once the payload is parsed. Between attempts, the count is the number of
   * processes that the payload has ended. If the store fails to reset the count, the next attempt is not counted.
   * @param batchTotal Bytes of memory that the payloads before this one in the batch take.
   * @returns `undefined` if another process parses the payload now.
   */
  async #matchOne(stored: StoredDelivery, cost: number, batchTotal: number): Promise<MatchedDelivery | undefined> {
    const { id } = stored
    const { inbox, host, slots, memory, clock } = this.#context
    const isCounted = cost >= countedCost && fitsHeap(cost)
    const attempts = isCounted && !this.#parsed.has(id) ? await inbox.countMatchAttempt(id) : 0
    if (attempts === undefined) return undefined
    if (attempts > maxMatchAttempts) {
      return unreadableDelivery(stored, cost, `Parsing the payload has ended the process ${maxMatchAttempts} times`)
    }
    const hasMemory = memory.hasRoom(cost, batchTotal)
    const matched = matchDelivery(stored, { host, slots, cost, hasMemory, now: clock.now() })
    if (isCounted) {
      this.#parsed.add(id)
      await inbox.forgetMatchAttempts(id)
      this.#parsed.delete(id)
    }
    return matched
  }
}

/** Releases the slots of a batch, except those of running tasks. */
function releaseSlots(batch: readonly MatchedDelivery[], running?: ReadonlySet<Slot>): void {
  for (const { slots } of batch) for (const slot of slots.values()) if (!running?.has(slot)) slot.release()
}

/** The claimed tasks in the order of the batch, which is the order of receipt. */
function toRunningTasks(
  claim: Pick<RunningTask, 'worker' | 'calledAt'>,
  batch: readonly MatchedDelivery[],
  claimed: readonly ClaimedTask[],
): RunningTask[] {
  const byDelivery = Map.groupBy(claimed, ({ id }) => id)
  const chainStart = performance.now()
  return batch.flatMap(({ match, stored, payload, cost, registrations, slots }) => {
    return (byDelivery.get(match.id) ?? []).map((task): RunningTask => {
      const registration = registrations.find(({ name }) => name === task.handler) as Registration
      const slot = slots.get(task.handler) as Slot
      return { ...task, ...claim, slot, registration, stored, payload, cost, chainStart }
    })
  })
}

interface MatchOptions extends Pick<WorkerContext, 'host' | 'slots'> {
  /** Bytes of memory that the parsed payload needs, as `estimateParsedSize` computes them. */
  cost: number
  /** Whether there is memory to run handlers with the payload now. */
  hasMemory: boolean
  now: number
}

/**
 * Reads the payload of a delivery and finds its handlers. Takes a slot for each task that can run now, or that is claimed
 * ahead.
 */
export function matchDelivery(stored: StoredDelivery, options: MatchOptions): MatchedDelivery {
  const { host, slots, cost, hasMemory, now } = options
  let read: ParsedPayload
  try {
    read = readPayload(stored, cost, host)
  } catch (error) {
    return unreadableDelivery(stored, cost, reasonOf(error))
  }
  const summary = summarizePayload(read.plain)
  const registrations = host.match(stored.event, summary.action, stored.source, read.plain)
  const taken = new Map<string, Slot>()
  const tasks = registrations.map((registration): MatchedTask => {
    const { name, options } = registration
    const startAt = options.delay ? stored.receivedAt + options.delay : undefined
    const isDue = startAt === undefined || startAt <= now
    const slot = hasMemory && isDue ? slots.takeAhead(registration) : undefined
    if (slot) taken.set(name, slot)
    const claim = { claim: slot !== undefined, ...(slot?.turn && { ahead: true }) }
    const key = orderKeyOf(registration, stored, read, host)
    return { handler: name, key, fairKey: fairKeyOf(registration, read.plain), ...claim, startAt }
  })
  const payload = taken.size > 0 ? payloadForAttempts(read) : undefined
  const discardReplay = host.replays === 'discard' && stored.source !== operatorSource
  const match = { id: stored.id, summary, tasks, discardReplay }
  return { match, stored, payload, cost, registrations, slots: taken }
}

/** `undefined` if the option `parsePayload` fails: each attempt then parses the payload again, and fails with the error. */
function payloadForAttempts(read: ParsedPayload): DeliveryPayload | undefined {
  try {
    return read.forHandlers()
  } catch {
    return undefined
  }
}

/** A delivery that no handler sees, because its payload cannot be read. */
function unreadableDelivery(stored: StoredDelivery, cost: number, reason: string): MatchedDelivery {
  const match = { id: stored.id, summary: {}, tasks: [], invalid: reason }
  return { match, stored, payload: undefined, cost, registrations: [], slots: new Map() }
}

/** The reason that operators see: the error and its cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return `invalid_payload: ${message}${cause ? ` (${cause})` : ''}`
}
