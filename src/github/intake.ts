import type { Inbox } from '../inbox/inbox.ts'
import type { FullLogger } from '../telemetry/logger.ts'
import { findAppHookId } from './app-hook.ts'
import { type Attempt, DeliveryLog, type Sent } from './delivery-log.ts'
import type { Position } from './position.ts'
import { recoveredParcel } from './recovered-parcel.ts'
import type { Requester, RequestFailure } from './requester.ts'
import { heldOf, overlap } from './sweep.ts'
import type { WatchedHook } from './target.ts'

/** From which log into which inbox. */
export interface IntakeParts {
  inbox: Inbox
  /** Where deliveries are to have come in. */
  source: string
  logger: FullLogger
  github: Requester
  hook: WatchedHook
  position: Position
  /** Milliseconds for which GitHub keeps a delivery. */
  kept: number
  /** Called before each call for a delivery. @returns Whether this process may go on. */
  mayGoOn(): Promise<boolean>
}

/** Takes into the inbox what GitHub's log of one hook shows, each GUID once and the oldest first, however its delivery ended. */
export class Intake {
  readonly #parts: IntakeParts
  readonly #log: DeliveryLog
  /** When all that may show up late is on the first page, which alone tells that the log has changed. */
  #settledAt = 0

  constructor(parts: IntakeParts) {
    this.#parts = parts
    this.#log = new DeliveryLog(parts.github, parts.hook.path)
  }

  /**
   * Takes what is new.
   * @returns How many deliveries that was.
   * @throws what kept it from its end; then another `Intake` goes on, since this one has GitHub show only what has
   *   changed since it read the log.
   */
  async take(): Promise<number> {
    const { inbox, position, kept, mayGoOn } = this.#parts
    const born = Math.floor((await inbox.createdAt()) / 1000) * 1000 // GitHub's log has whole seconds
    const from = Math.max(born, position.from, Date.now() - kept)
    const fresh = await this.#freshSince(from)
    if (fresh.length === 0) return 0
    const wanted = await this.#wantedOf(fresh)
    let taken = 0
    try {
      for (const attempt of fresh) {
        if (wanted.has(attempt)) {
          if (!(await mayGoOn())) break
          if (await this.#store(attempt)) taken++
        }
        position.pass(attempt)
      }
    } finally {
      await position.keep()
    }
    return taken
  }

  /** What has not been seen yet, the oldest first. */
  async #freshSince(from: number): Promise<Attempt[]> {
    const { position } = this.#parts
    const pages: Attempt[][] = []
    const ifChanged = performance.now() >= this.#settledAt
    for await (const attempts of this.#log.since(from, { ifChanged })) {
      pages.push(attempts.filter((attempt) => !position.has(attempt)))
    }
    const fresh = pages.flat().reverse()
    if (pages.length > 1 && fresh.length > 0) this.#settledAt = performance.now() + overlap
    return fresh
  }

  /**
   * The first of each GUID, unless the inbox has it. Whoever has GitHub deliver again what is here means it: it is
   * stored once more, so that it counts as a copy, and what has died is handled again.
   */
  async #wantedOf(fresh: readonly Attempt[]): Promise<Set<Attempt>> {
    const { inbox, source, hook } = this.#parts
    const firsts = new Map(fresh.toReversed().map((attempt) => [attempt.guid, attempt]))
    const newest = async () => fresh.at(-1)
    const hookId = hook.id ?? (await findAppHookId(inbox, this.#log, newest)) ?? ''
    const held = await heldOf({ inbox, source, hookId }, [...firsts.keys()])
    return new Set([...firsts.values()].filter(({ guid, redelivery }) => !held.has(guid) || redelivery))
  }

  async #store({ id, guid, event }: Attempt): Promise<boolean> {
    const { inbox, source, hook, logger } = this.#parts
    let sent: Sent
    try {
      sent = await this.#log.read(id)
    } catch (error) {
      if ((error as RequestFailure).status !== 404) throw error
      logger.warn(
        { target: hook.target, guid, event },
        'A delivery cannot be fetched: GitHub does not keep it any more',
      )
      return false
    }
    await inbox.store(recoveredParcel(sent, { source, hookId: hook.id ?? '', guid, event }, Date.now()))
    return true
  }
}
