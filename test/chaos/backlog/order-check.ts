import type { Line } from '../../campaign/journal.ts'
import type { Backlog, Stored } from './deliveries.ts'
import { isLastAttempt } from './handler.ts'

/** Reasons that excuse a deviation from the order. */
export interface Excuses {
  /** Processes that were killed or suspended. Other workers run their tasks again. */
  interrupted: ReadonlySet<number>
  /** GUIDs of deliveries that an operator retried. They run again after newer deliveries. */
  retried: ReadonlySet<string>
  /** GUIDs of deliveries with an attempt that was cut off. */
  expired: ReadonlySet<string>
  /** GUIDs of those whose last attempt was cut off. An attempt counts from its claim, so it may have no line. */
  expiredLast: ReadonlySet<string>
}

type StoredDeliveries = Pick<Backlog, 'byGuid' | 'byRepository'>

/** The progress of one repository. */
interface Repository {
  /** The number of claimed deliveries, which must be the oldest ones. */
  claimed: number
  ended: Set<string>
  /** The running attempt. */
  running: Line | undefined
}

/**
 * Compares the lines of handlers with the order of receipt: the deliveries of a repository run one at a time, and none
 * begins before all older ones have ended. Each attempt is checked when it begins, even if it fails later.
 */
export class OrderCheck {
  readonly wrong: string[] = []
  /** The number of attempts that a suspended process began after other workers had reclaimed their tasks. */
  late = 0
  readonly #backlog: StoredDeliveries
  readonly #excuses: Excuses
  readonly #repositories = new Map<string, Repository>()
  /** The number of the latest attempt of each claimed delivery. */
  readonly #lastAttempt = new Map<string, number>()

  constructor(backlog: StoredDeliveries, excuses: Excuses) {
    this.#backlog = backlog
    this.#excuses = excuses
  }

  check(lines: readonly Line[]): this {
    for (const line of lines) {
      const stored = this.#backlog.byGuid.get(line.guid)
      if (!stored) continue // not in the backlog; `runTooOften` reports it unless the inbox has the attempt
      const repository = this.#repositoryOf(stored)
      if (line.mark === '+') this.#begin(line, stored, repository)
      else this.#end(line, repository)
    }
    return this
  }

  #begin(line: Line, stored: Stored, repository: Repository): void {
    const { running } = repository
    const isNew = stored.position >= repository.claimed
    if (this.#isLate(line)) {
      this.late++
      return
    }
    if (running && !this.#mayBeginBeside(line, running)) {
      this.wrong.push(`${nameOf(line)} began while ${nameOf(running)} ran in the same repository`)
    }
    if (isNew) this.#checkOlder(line, stored, repository)
    else if (stored.position !== repository.claimed - 1 && !this.#excuses.retried.has(line.guid)) {
      this.wrong.push(`${nameOf(line)} began again after a newer delivery of its repository`)
    }
    repository.running = line
    repository.claimed = Math.max(repository.claimed, stored.position + 1)
  }

  /**
   * Reports older deliveries of the repository that were never claimed, and the previous delivery if it has not ended.
   * An interrupted last attempt counts as the end of its delivery, and so does one that was cut off before it had a
   * line.
   */
  #checkOlder(line: Line, { position, repository: name }: Stored, { claimed, ended, running }: Repository): void {
    if (position > claimed) this.wrong.push(`${nameOf(line)} began before ${position - claimed} older deliveries`)
    const before = this.#backlog.byRepository.get(name)?.[position - 1]
    if (before === undefined || position > claimed || ended.has(before)) return
    const hasEnded =
      running?.guid === before
        ? isLastAttempt(running.attempt) && this.#wasInterrupted(running)
        : this.#excuses.expiredLast.has(before)
    if (!hasEnded) this.wrong.push(`${nameOf(line)} began before ${before} had ended`)
  }

  #end(line: Line, repository: Repository): void {
    if (line.mark === '=' || isLastAttempt(line.attempt)) repository.ended.add(line.guid)
    const { running } = repository
    if (running && nameOf(running) === nameOf(line)) repository.running = undefined
  }

  /**
   * Whether an attempt may begin while another attempt of its repository counts as running. It may begin only if the
   * process of the running attempt was interrupted. Then the delivery of the running attempt may begin again, and a
   * delivery that an operator retried may begin. If the running attempt is the last one of its delivery, any delivery
   * of the repository may begin.
   */
  #mayBeginBeside(line: Line, running: Line): boolean {
    const isHead = line.guid === running.guid || this.#excuses.retried.has(line.guid)
    return this.#wasInterrupted(running) && (isHead || isLastAttempt(running.attempt))
  }

  #isLate({ pid, guid, attempt }: Line): boolean {
    const last = Math.max(attempt, this.#lastAttempt.get(guid) ?? 0)
    this.#lastAttempt.set(guid, last)
    return attempt < last && this.#excuses.interrupted.has(pid) && this.#excuses.expired.has(guid)
  }

  #wasInterrupted({ pid }: Line): boolean {
    return this.#excuses.interrupted.has(pid)
  }

  #repositoryOf({ repository }: Stored): Repository {
    const known = this.#repositories.get(repository)
    if (known) return known
    const made = { claimed: 0, ended: new Set<string>(), running: undefined }
    this.#repositories.set(repository, made)
    return made
  }
}

const nameOf = ({ guid, attempt, pid }: Line): string => `${guid} (attempt ${attempt}, process ${pid})`
