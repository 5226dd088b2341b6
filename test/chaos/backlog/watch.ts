import type { Journal } from '../../campaign/journal.ts'
import type { TimeLimits } from '../time-limits.ts'
import type { Backlog } from './deliveries.ts'
import { isLastAttempt } from './handler.ts'

const interval = 100

interface WatchOptions {
  /** The maximum number of deliveries that one worker runs at a time. */
  concurrency: number
  limits: TimeLimits
}

/** Continuously checks that there is progress while any task is due. Times are those of `performance.now()`. */
export class ProgressWatch {
  readonly wrong: string[] = []
  /** Processes that were killed or suspended, and when. */
  readonly interrupted = new Map<number, number>()
  /** The longest time without progress while a task was due, in milliseconds. */
  longest = 0
  /** The fault that is injected now, or else the previous one. Before the first fault: the start. */
  fault = 'the start'
  /** The number of deliveries that have ended. */
  ended = 0
  readonly #backlog: Backlog
  readonly #journal: Journal
  readonly #concurrency: number
  readonly #limits: TimeLimits
  readonly #timer: NodeJS.Timeout
  readonly #endedGuids = new Set<string>()
  readonly #endedIn = new Map<string, number>()
  /** The running attempt of each repository. */
  readonly #running = new Map<string, { pid: number; isLast: boolean }>()
  #read = 0
  #since = performance.now()
  #outageUntil = Number.POSITIVE_INFINITY

  constructor(backlog: Backlog, journal: Journal, { concurrency, limits }: WatchOptions) {
    this.#backlog = backlog
    this.#concurrency = concurrency
    this.#limits = limits
    this.#journal = journal
    this.#timer = setInterval(() => this.#look(), interval)
  }

  /** Accepts a lack of progress from now on, for at most `ms`. @returns a function that ends the outage earlier. */
  outage(ms: number = Number.POSITIVE_INFINITY): () => void {
    this.#outageUntil = Math.max(this.#outageUntil, performance.now() + ms)
    return () => {
      this.#outageUntil = this.#since = performance.now()
    }
  }

  /** Records that a process is about to be killed or suspended. */
  interrupt(pid: number): void {
    this.interrupted.set(pid, performance.now())
  }

  /** The repositories in which a process runs an attempt. */
  repositoriesOf(pid: number): string[] {
    this.#follow()
    return [...this.#running].filter(([, running]) => running.pid === pid).map(([repository]) => repository)
  }

  /** Whether a delivery has ended. */
  hasEnded(guid: string): boolean {
    return this.#endedGuids.has(guid)
  }

  /** The deliveries that are the next but `distance` to run in their repositories. */
  upcoming(distance: number): string[] {
    this.#follow()
    return [...this.#backlog.byRepository].flatMap(([repository, guids]) => {
      return guids.slice((this.#endedIn.get(repository) ?? 0) + distance).slice(0, 1)
    })
  }

  /** The process that runs, or ran, this attempt of a delivery. */
  runnerOf(guid: string, attempt: number): number | undefined {
    this.#follow()
    return this.#journal.lines.findLast((line) => line.guid === guid && line.attempt === attempt)?.pid
  }

  /** The number of deliveries that have not ended. */
  get left(): number {
    return this.#backlog.size - this.ended
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const now = performance.now()
    const before = this.ended
    this.#follow()
    if (this.ended > before || now < this.#outageUntil || !this.#isAnyDue(now)) this.#since = now
    this.longest = Math.max(this.longest, now - this.#since)
    const { pause } = this.#limits
    if (now - this.#since < pause) return
    this.wrong.push(
      `Nothing was handled for ${pause / 1000} s although deliveries were due, after the fault: ${this.fault}`,
    )
    this.#since = now
  }

  /**
   * Whether a delivery is due that no dead worker has claimed. A repository runs one delivery at a time, so the method
   * counts the repositories with due deliveries. Each dead worker may have claimed deliveries of up to `#concurrency`
   * repositories. The method returns true if more repositories than these have due deliveries. A killed or suspended
   * worker counts as dead for the time of a takeover.
   */
  #isAnyDue(now: number): boolean {
    const dead = [...this.interrupted].filter(([, at]) => now - at < this.#limits.takeover).map(([pid]) => pid)
    let due = 0
    for (const [repository, stored] of this.#backlog.byRepository) {
      const { pid = 0, isLast = false } = this.#running.get(repository) ?? {}
      // If the last attempt of a delivery was interrupted, the delivery ends without another line in the journal. So
      // its repository stays in `#running`, and `#endedIn` never counts the delivery. The repository would look due
      // forever, so `isHeld` excludes the repository.
      const isHeld = dead.includes(pid) || (isLast && this.interrupted.has(pid))
      if (!isHeld && (this.#endedIn.get(repository) ?? 0) < stored.length) due++
    }
    return due > dead.length * this.#concurrency // a dead worker may hold leases of tasks that have no line yet
  }

  #follow(): void {
    this.#journal.read()
    for (; this.#read < this.#journal.lines.length; this.#read++) {
      const { mark, guid, attempt, pid } = this.#journal.lines[this.#read] ?? {}
      const stored = this.#backlog.byGuid.get(guid ?? '')
      if (!stored || guid === undefined || pid === undefined || attempt === undefined) continue
      const { repository } = stored
      const isLast = isLastAttempt(attempt)
      if (mark === '+') this.#running.set(repository, { pid, isLast })
      else if (this.#running.get(repository)?.pid === pid) this.#running.delete(repository)
      const isEnd = mark === '=' || (mark === '-' && isLast)
      if (!isEnd || this.#endedGuids.has(guid)) continue
      this.#endedGuids.add(guid)
      this.#endedIn.set(repository, (this.#endedIn.get(repository) ?? 0) + 1)
      this.ended++
    }
  }
}
